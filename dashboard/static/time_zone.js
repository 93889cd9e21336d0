// The time zone of the browser, which signing in reports and the account page proposes.
"use strict";

(() => {
  const report = (element, zone) => {
    if (element.tagName !== "A") {
      element.value = zone;
      return;
    }
    const address = new URL(element.href);
    address.searchParams.set("time_zone", zone);
    element.href = address;
  };
  const propose = (proposal, zone) => {
    const field = document.getElementById(proposal.dataset.proposeZone);
    const button = proposal.querySelector("button");
    button.textContent = `Use ${zone}`;
    button.addEventListener("click", () => {
      field.value = zone;
      proposal.hidden = true;
      field.focus();
    });
    proposal.hidden = field.value === zone;
  };

  const fillIn = () => {
    const [reports, proposals] = ["[data-browser-zone]", "[data-propose-zone]"].map((s) => [...document.querySelectorAll(s)]);
    if (!reports.length && !proposals.length) return;
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    for (const element of reports) report(element, timeZone);
    for (const proposal of proposals) propose(proposal, timeZone);
  };
  fillIn();
  document.addEventListener("page:replaced", fillIn);
})();

// When to try again after failures: exponentially later, and never all clients together.
'use strict';

class BackOff {
  constructor(first = 1_000, longest = 60_000) {
    this.first = first;
    this.longest = longest;
    this.failures = 0;
  }

  /** Return the next pause: twice as long as the last one, up to half of it left out. */
  nextPause() {
    const pause = Math.min(this.longest, this.first * 2 ** Math.min(this.failures, 30));
    this.failures += 1;
    return pause * (0.5 + Math.random() / 2);
  }

  /** Begin anew, because an attempt succeeded. */
  reset() {
    this.failures = 0;
  }
}

module.exports = { BackOff };

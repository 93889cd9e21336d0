// Post an event with fetch (Node 18 or later). Set BRAZEBEE_URL and BRAZEBEE_API_KEY.
const base = process.env.BRAZEBEE_URL ?? 'http://127.0.0.1:8000';
const response = await fetch(`${base}/v1/track`, {
  method: 'POST',
  headers: {
    'x-api-key': process.env.BRAZEBEE_API_KEY,
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    event_key: 'login',
    company: { id: 'acme', name: 'Acme' },
    user: { id: 'ada' },
  }),
});
console.log(await response.text());
process.exit(response.ok ? 0 : 1);

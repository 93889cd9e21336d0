# Post an event with net/http. Set BRAZEBEE_URL and BRAZEBEE_API_KEY.
require 'json'
require 'net/http'

uri = URI("#{ENV.fetch('BRAZEBEE_URL', 'http://127.0.0.1:8000')}/v1/track")
event = {
  event_key: 'login',
  company: { id: 'acme', name: 'Acme' },
  user: { id: 'ada' }
}
headers = {
  'x-api-key' => ENV.fetch('BRAZEBEE_API_KEY'),
  'Content-Type' => 'application/json'
}
response = Net::HTTP.post(uri, event.to_json, headers)
puts response.body
exit response.is_a?(Net::HTTPSuccess)

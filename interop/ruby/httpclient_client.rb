# Ruby's httpclient with ruby-ntlm. See ../README.md for what it is told and says.
require 'httpclient'
require 'net/ntlm'

url = ENV.fetch('PEER_URL')
user, domain = ENV.fetch('PEER_USER', ''), ENV.fetch('PEER_DOMAIN', '')
client = HTTPClient.new
client.set_auth(nil, domain.empty? ? user : "#{domain}\\#{user}", ENV.fetch('PEER_PASSWORD', ''))
Integer(ENV.fetch('PEER_TIMES', '1')).times do
  headers = { 'Accept' => 'application/json' }
  answer = ENV.key?('PEER_BODY') ? client.post(url, ENV['PEER_BODY'], headers) : client.get(url, header: headers)
  puts "#{answer.status} #{answer.body.split.join(' ')}"
end

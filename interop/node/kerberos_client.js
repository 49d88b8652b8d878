// The npm package `kerberos`, MongoDB's and many others': MIT's GSSAPI from Node. It knows no HTTP.
'use strict';
const http = require('http');
const kerberos = require('kerberos');
const peer = require('./peer');

const url = new URL(peer.url);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(token) {
  const headers = { Accept: 'application/json', Authorization: `Negotiate ${token}` };
  const method = peer.body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method, headers }, (answer) => {
      let body = '';
      answer.on('data', (piece) => (body += piece));
      answer.on('end', () => {
        const [, next] = /^Negotiate (\S+)/i.exec(answer.headers['www-authenticate'] || '') || [];
        resolve({ status: answer.statusCode, body, token: next });
      });
    });
    request.on('error', reject);
    request.end(peer.body);
  });
}

(async () => {
  const mechOID = process.env.PEER_MECHANISM === 'krb5' ? kerberos.GSS_MECH_OID_KRB5 : kerberos.GSS_MECH_OID_SPNEGO;
  for (let i = 0; i < peer.times; i++) {
    const client = await kerberos.initializeClient(`HTTP@${url.hostname}`, { mechOID });
    let answer = await ask(await client.step(''));
    while (answer.status === 401 && answer.token) answer = await ask(await client.step(answer.token));
    if (answer.token) await client.step(answer.token);
    peer.say(answer.status, answer.body);
    if (answer.status === 200 && !client.contextComplete) throw new Error('the client does not think that it is through');
  }
  agent.destroy();
})();

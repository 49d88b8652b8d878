// axios with axios-ntlm.
'use strict';
const { NtlmClient } = require('axios-ntlm');
const peer = require('./peer');

(async () => {
  const account = { username: peer.user, password: peer.password, domain: peer.domain, workstation: 'AXIOS' };
  const client = NtlmClient(account, { proxy: false, headers: { Accept: 'application/json' } });
  for (let i = 0; i < peer.times; i++) {
    const method = peer.body === undefined ? 'get' : 'post';
    try {
      const answer = await client({ url: peer.url, method, data: peer.body });
      peer.say(answer.status, answer.data);
    } catch (error) {
      if (!error.response) throw error;
      peer.say(error.response.status, error.response.data);
    }
  }
})();

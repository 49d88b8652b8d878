// httpntlm. Each of its calls is a handshake of its own.
'use strict';
const httpntlm = require('httpntlm');
const peer = require('./peer');

function ask(left) {
  if (left === 0) return;
  const options = {
    url: peer.url,
    username: peer.user,
    password: peer.password,
    domain: peer.domain,
    workstation: 'NODE',
    headers: { Accept: 'application/json' },
  };
  if (peer.body !== undefined) options.body = peer.body;
  httpntlm[peer.body === undefined ? 'get' : 'post'](options, (error, answer) => {
    if (error) throw error;
    peer.say(answer.statusCode, answer.body);
    ask(left - 1);
  });
}
ask(peer.times);

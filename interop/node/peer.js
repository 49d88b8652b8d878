// What every Node client here is told (the environment) and says (a line per answer). See ../README.md.
'use strict';
const env = process.env;
exports.url = env.PEER_URL;
exports.user = env.PEER_USER || '';
exports.domain = env.PEER_DOMAIN || '';
exports.password = env.PEER_PASSWORD || '';
exports.times = Number(env.PEER_TIMES || '1');
exports.body = env.PEER_BODY;
exports.say = (status, body) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  console.log(`${status} ${text.split(/\s+/).join(' ')}`);
};

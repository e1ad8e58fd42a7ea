// Calls with a signature: the vendor's pre-request script for Postman, with crypto-js as there, and
// the little of `pm` that it uses.
//
// https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration
//
// Run it as `node postman.js [DATA/quickstart.json]`; without a file, EX_BASE, EX_KEY, EX_SECRET and
// EX_USER say where and on whose behalf.
'use strict';

const CryptoJS = require('crypto-js');
const { base, key, secret, user } = place();
const sent = {};
const pm = { request: { headers: { add: (header) => { sent[header.key] = header.value; } } } };

const epoch = Math.floor(Date.now() / 1000);
var hash = CryptoJS.HmacSHA256(`${key}_${epoch}_${user}`, secret);
const token = `tkn_${key}_${epoch}_${user}_${hash}`;
pm.request.headers.add({
    key: 'x-deki-token',
    value: token
});

fetch(`${base}/@api/deki/users/current?dream.out.format=json`, { headers: sent })
  .then(async (response) => {
    if (response.status !== 200) {
      throw new Error(`${response.status} - ${await response.text()}`);
    }
    console.log((await response.json()).username);
  })
  .catch((error) => { console.error(`Error: ${error.message}`); process.exit(1); });

function place() {
  if (process.argv.length > 2) {
    const made = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
    return { base: made.base_url, ...made.expert };
  }
  const { EX_BASE, EX_KEY, EX_SECRET, EX_USER } = process.env;
  return { base: EX_BASE, key: EX_KEY, secret: EX_SECRET, user: EX_USER };
}

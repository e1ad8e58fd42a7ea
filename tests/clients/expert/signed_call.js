// Calls with a signature: the vendor's sample for Node.js, with the package `request` as there.
//
// https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration
//
// Run it as `node signed_call.js [DATA/quickstart.json]`; without a file, EX_BASE (scheme, host and
// port), EX_KEY, EX_SECRET and EX_USER (a number, or `=` and a login name) say where and on whose
// behalf.
'use strict';

const { base, key, secret, user } = place();

// hash time, key, user with secret
const crypto = require('crypto');
const hmac = crypto.createHmac('sha256', secret);
const epoch = Math.floor(Date.now() / 1000);
hmac.update(`${key}_${epoch}_${user}`);
const hash = hmac.digest('hex');
const token = `tkn_${key}_${epoch}_${user}_${hash}`;

// send signature as X-Deki-Token HTTP header to MindTouch API
const request = require('request');
request({
  url: `${base}/@api/deki/pages/home/info`,
  headers: {
    'X-Deki-Token': token
  }
}, (error, response, body) => {
  if (error || response.statusCode !== 200) {
    console.error(`Error: ${error || `${response.statusCode} - ${body}`}`);
    process.exit(1);
  }
  console.log(body);
});

function place() {
  if (process.argv.length > 2) {
    const made = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
    return { base: made.base_url, ...made.expert };
  }
  const { EX_BASE, EX_KEY, EX_SECRET, EX_USER } = process.env;
  return { base: EX_BASE, key: EX_KEY, secret: EX_SECRET, user: EX_USER };
}

// Signs as the vendor's sample in C# does: its `BitConverter` writes the hash in capitals. Then it
// trades the signature, as the sample's last lines say, for a session and for a page.
//
// https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration
//
// Run it as `node upper_case.js [DATA/quickstart.json]`; without a file, EX_BASE, EX_KEY, EX_SECRET
// and EX_USER say where and on whose behalf.
'use strict';

const crypto = require('crypto');
const { base, key, secret, user } = place();

const epoch = Math.trunc(Date.now() / 1000);
const bytes = crypto.createHmac('sha256', Buffer.from(secret, 'ascii'))
  .update(Buffer.from(`${key}_${epoch}_${user}`, 'ascii')).digest();
const hash = Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('-')
  .replace(/-/g, '');
const signature = `tkn_${key}_${epoch}_${user}_${hash}`;

async function run() {
  const current = await fetch(`${base}/@api/deki/users/current?dream.out.format=json`,
    { headers: { 'X-Deki-Token': signature } });
  console.log((await read(current, 200).json()).username);
  const exchange = `${base}/@api/deki/users/authenticate?x-deki-token=${signature}`;
  console.log((await read(await fetch(exchange), 200).text()).split('_').slice(0, 2).join('_'));
  const page = `${base}/demo/landing`;
  const sent = await fetch(`${exchange}&redirect=${encodeURIComponent(page)}`, { redirect: 'manual' });
  console.log(read(sent, 302).headers.get('location') === page);
}

function read(response, status) {
  if (response.status !== status) {
    throw new Error(`${response.status}, not ${status}`);
  }
  return response;
}

run().catch((error) => { console.error(`Error: ${error.message}`); process.exit(1); });

function place() {
  if (process.argv.length > 2) {
    const made = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
    return { base: made.base_url, ...made.expert };
  }
  const { EX_BASE, EX_KEY, EX_SECRET, EX_USER } = process.env;
  return { base: EX_BASE, key: EX_KEY, secret: EX_SECRET, user: EX_USER };
}

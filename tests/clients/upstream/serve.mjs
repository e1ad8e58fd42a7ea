// An upstream that answers whom it believes to be asked by, and refuses whom it does not believe.

import { createServer } from "node:http";

const { verify } = await import(`${process.env.VERIFIER}/verify.mjs`);

const server = createServer(async (request, response) => {
  const assertion = request.headers["portcullis-assertion"] ?? "";
  const path = request.url.split("?")[0];
  let [status, told] = [200, {}];
  try {
    const claims = await verify(assertion, request.method, request.headers.host, path);
    told = { claims, assertion };
  } catch (why) {
    [status, told] = [401, { why: String(why) }];
  }
  const body = JSON.stringify(told);
  response.writeHead(status, { "content-length": Buffer.byteLength(body), connection: "close" });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

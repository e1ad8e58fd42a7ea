"""An upstream that answers whom it believes to be asked by, and refuses whom it does not believe."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["VERIFIER"])

import jwt  # noqa: E402
from verify import verify  # noqa: E402


class Upstream(BaseHTTPRequestHandler):
    def answer(self):
        assertion = self.headers.get("portcullis-assertion", "")
        path = self.path.split("?")[0]
        try:
            claims = verify(assertion, self.command, self.headers["host"], path)
            status, told = 200, {"claims": claims, "assertion": assertion}
        except jwt.PyJWTError as why:
            status, told = 401, {"why": str(why)}
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Upstream)
print(server.server_port, flush=True)
server.serve_forever()

// The contract on Node's own server.
import { createServer } from "node:http";

const reply = (response, status, content) => {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(content));
};

createServer((request, response) => {
  if (request.method === "GET" && request.url === "/ping") {
    reply(response, 200, { status: "Healthy" });
  } else if (request.method === "POST" && request.url === "/invocations") {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => reply(response, 200, { result: JSON.parse(body || "{}").prompt ?? "" }));
  } else {
    reply(response, 404, { error: "no such path" });
  }
}).listen(8080, "0.0.0.0", () => console.log("listening on 0.0.0.0:8080"));

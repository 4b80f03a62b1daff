import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Refused, Unreachable, healthVouchers, insisted, requestNo, told } from "../src/index.js";

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

/** A platform of few words, over real HTTP. */
async function listening(handler: Handler, act: (baseUrl: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => handler(request, body, response));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function answer(response: ServerResponse, status: number, told: object): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "Content-Type": type }).end(JSON.stringify(told));
}

test("a call says who asks and in which language, and its answer is typed", async () => {
  await listening(
    (request, _, response) => {
      assert.equal(request.headers.authorization, "Bearer abc");
      assert.equal(request.headers["accept-language"], "en");
      answer(response, 200, { chances: 2, url: request.url });
    },
    async (baseUrl) => {
      const { issuance } = healthVouchers({ baseUrl, token: () => "abc", language: "en" });
      const today = await told(issuance.GET("/issuance/v1/me/today", { params: { query: { campaign: "a b" } } }));
      const chances: number = today.chances;
      assert.equal(chances, 2);
      assert.equal((today as unknown as { url: string }).url, "/issuance/v1/me/today?campaign=a%20b");
    },
  );
});

test("a refusal is an error with the sentence and the code of the platform", async () => {
  const problem = { type: "x", title: "x", status: 409, detail: "没有抽奖机会。", code: "no_chance", request_id: "r1" };
  await listening(
    (_request, _, response) => answer(response, 409, problem),
    async (baseUrl) => {
      const { issuance } = healthVouchers({ baseUrl });
      const draw = issuance.POST("/issuance/v1/campaigns/{slug}/draws", {
        params: { path: { slug: "honghe-2020" } },
        body: { request_no: requestNo(), client_seed: "" },
      });
      await assert.rejects(told(draw), (error) => {
        assert.ok(error instanceof Refused);
        assert.deepEqual([error.status, error.code, error.message], [409, "no_chance", "没有抽奖机会。"]);
        return true;
      });
    },
  );
});

test("what had no answer is sent again under its number, a refusal is not", async () => {
  const seen: string[] = [];
  await listening(
    (request, body, response) => {
      seen.push((JSON.parse(body) as { request_no: string }).request_no);
      if (seen.length === 1) request.socket.destroy();
      else if (seen.length === 2) response.writeHead(503, { "Retry-After": "2" }).end();
      else answer(response, 201, { attempt_id: "a1" });
    },
    async (baseUrl) => {
      const { issuance } = healthVouchers({ baseUrl });
      const number = requestNo();
      const waits: number[] = [];
      const start = () =>
        issuance.POST("/issuance/v1/campaigns/{slug}/quiz-attempts", {
          params: { path: { slug: "honghe-2020" } },
          body: { request_no: number },
        });
      const wait = async (ms: number) => void waits.push(ms);
      const begun = await insisted(start, { wait });
      assert.equal(begun.attempt_id, "a1");
      assert.deepEqual(seen, [number, number, number]);
      assert.deepEqual(waits, [400, 2000]);
    },
  );
});

test("without a platform the caller learns that nobody knows", async () => {
  const { console: clerks } = healthVouchers({ baseUrl: "http://127.0.0.1:1" });
  await assert.rejects(told(clerks.GET("/console/v1/integrity")), Unreachable);
});

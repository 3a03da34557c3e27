// A small local server for OpenAI-compatible chat completions, with llama.cpp behind it. It serves one GGUF file:
//
//   node server.mjs MODEL.gguf [THREADS] [LETTERS]
//
// It prints its address, answers one request at a time and ends with its standard input. A JSON schema in `response_format` constrains the reply, as
// far as llama.cpp's grammars can express it: types, names and lengths, not the range of a number.
import http from "node:http";
import { getLlama, LlamaCompletion, LlamaLogLevel } from "node-llama-cpp";

const MOST_BYTES = 1 << 20;
const CONTEXT_TOKENS = 2048;
const [path, threads = "1", letters = "80"] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: CONTEXT_TOKENS, sequences: 1, threads: Number(threads) });
const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
const grammars = new Map();

// What node-llama-cpp's grammars know of a schema.
function known(schema) {
  if (schema.enum) return { enum: schema.enum };
  if (schema.type === "object") {
    const properties = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, known(inner)]);
    return { type: "object", properties: Object.fromEntries(properties) };
  }
  // Shorter texts than the schema allows: a small model writes until it is stopped.
  return schema.maxLength ? { type: schema.type, maxLength: Number(letters) } : { type: schema.type };
}

async function grammar(format) {
  const schema = format?.type === "json_schema" ? format.json_schema.schema : null;
  const key = JSON.stringify(schema ?? format ?? null);
  if (!grammars.has(key)) {
    if (schema) grammars.set(key, await llama.createGrammarForJsonSchema(known(schema)));
    else if (format?.type === "json_object") grammars.set(key, await llama.getGrammarFor("json"));
    else grammars.set(key, undefined);
  }
  return grammars.get(key);
}

async function reply(body) {
  const prompt = body.messages.map((message) => message.content).join("\n\n") + "\n\nAnswer:\n";
  const tokens = model.tokenize(prompt);
  const limit = body.max_tokens ?? body.max_completion_tokens ?? 256;
  const { response, metadata } = await completion.generateCompletionWithMeta(tokens, {
    grammar: await grammar(body.response_format),
    maxTokens: Math.min(limit, CONTEXT_TOKENS - tokens.length - 8),
    temperature: body.temperature ?? 0,
  });
  const written = model.tokenize(response).length;
  return {
    id: "local",
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: body.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: response },
        finish_reason: metadata.stopReason === "maxTokens" ? "length" : "stop",
      },
    ],
    usage: { prompt_tokens: tokens.length, completion_tokens: written, total_tokens: tokens.length + written },
  };
}

function send(response, status, document) {
  const text = JSON.stringify(document);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

let last = Promise.resolve();
const server = http.createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/v1/chat/completions")
    return send(response, 404, { error: { message: "POST /v1/chat/completions" } });
  const parts = [];
  let bytes = 0;
  request.on("data", (part) => {
    bytes += part.length;
    if (bytes > MOST_BYTES) request.destroy();
    else parts.push(part);
  });
  request.on("end", () => {
    last = last.then(async () => {
      if (response.destroyed) return; // nobody waits for it any more
      try {
        send(response, 200, await reply(JSON.parse(Buffer.concat(parts).toString("utf8"))));
      } catch (error) {
        send(response, 400, { error: { message: String(error?.message ?? error) } });
      }
    });
  });
});
process.stdin.on("end", () => process.exit(0)).resume();
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));

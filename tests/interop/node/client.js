// Runs interop cases of @grpc/grpc-js against a server of another stack.
//
// Reads one JSON object a line from standard input:
//   {"id": 1, "case": "ping_pong", "target": "localhost:50051", "timeout_s": 30, "gzip": false, "tls": {"ca", "cert", "key"}, "params": {}}
// and answers {"id": 1, "progress": TEXT} zero or more times, then {"id": 1, "ok": BOOL, "detail": TEXT}. Cases run one after another.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const contract = require('./contract');

const CASES = { ...require('./cases').CASES, ...require('./cases_control').CASES, ...require('./cases_services').CASES };
const GZIP = 2; // grpc_compression_algorithm

/** What a case gets: stubs on one channel, its parameters, and a way to tell the test how far it is. */
class Run {
  constructor(request, definition) {
    this.params = request.params ?? {};
    this._id = request.id;
    this._definition = definition;
    const options = request.gzip ? { 'grpc.default_compression_algorithm': GZIP } : {};
    this._channel = new grpc.Channel(request.target, credentials(request.tls), { ...options, 'grpc.use_local_subchannel_pool': 1 });
    this.stub = this.stubOf('grpc.testing.TestService');
  }

  stubOf(service) {
    return this.open(contract.find(this._definition, service));
  }

  open(Client) {
    return new Client('', grpc.credentials.createInsecure(), { channelOverride: this._channel });
  }

  progress(text) {
    answer({ id: this._id, progress: text });
  }

  close() {
    this._channel.close();
  }
}

function answer(fields) {
  process.stdout.write(JSON.stringify(fields) + '\n');
}

function credentials(tls) {
  if (!tls) {
    return grpc.credentials.createInsecure();
  }
  const read = (file) => (file ? fs.readFileSync(file) : null);
  return grpc.credentials.createSsl(read(tls.ca), read(tls.key), read(tls.cert));
}

async function run(request, definition) {
  const runCase = CASES[request.case];
  if (!runCase) {
    return answer({ id: request.id, ok: false, detail: `no case '${request.case}'` });
  }
  const seconds = request.timeout_s ?? 30;
  const context = new Run(request, definition);
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${seconds} s`)), seconds * 1000);
  });
  try {
    await Promise.race([runCase(context), timeout]);
    answer({ id: request.id, ok: true, detail: '' });
  } catch (error) {
    // The boundary: whatever a case raises is its result, with the trace that explains it.
    answer({ id: request.id, ok: false, detail: String(error.stack ?? error) });
  } finally {
    clearTimeout(timer);
    context.close();
  }
}

async function main() {
  const definition = contract.load();
  answer({ ready: true, stack: `@grpc/grpc-js ${require('@grpc/grpc-js/package.json').version}` });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await run(JSON.parse(line), definition);
  }
}

main();

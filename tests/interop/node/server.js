// The interop test service on @grpc/grpc-js, for clients of other stacks.
//
// Prints one JSON object a line: {"event": "listening", "port": N}, then {"event": "call_ended", "call_id": ID} for each call that carried
// x-interop-call-id, whatever its end was: the cases that look at it never half-close, so only a cancel or a deadline can end them.
// Ends when its standard input closes, so that it cannot outlive the test that started it.
// Usage: node server.js [--tls CA CERT KEY]. There is no --gzip: this stack's server does not compress responses.
'use strict';

const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const contract = require('./contract');

const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';

function report(event) {
  process.stdout.write(JSON.stringify(event) + '\n');
}

/** Echoes the metadata asked for, reports the end of the call when it carries an id, and returns the trailing metadata. */
function observe(call) {
  const trailing = new grpc.Metadata();
  const asked = (key) => call.metadata.get(key)[0];
  if (asked('x-interop-call-id') !== undefined) {
    call.on('cancelled', () => report({ event: 'call_ended', call_id: asked('x-interop-call-id') }));
  }
  if (asked(INITIAL) !== undefined) {
    const initial = new grpc.Metadata();
    initial.set(INITIAL, asked(INITIAL));
    call.sendMetadata(initial);
  }
  if (asked(TRAILING) !== undefined) {
    trailing.set(TRAILING, asked(TRAILING));
  }
  if (asked('x-interop-echo-deadline') !== undefined) {
    const deadline = call.getDeadline();
    trailing.set('x-interop-time-remaining-ms', Number.isFinite(Number(deadline)) ? String(Math.round(deadline - Date.now())) : 'none');
  }
  if (asked('x-interop-echo-repeated') !== undefined) {
    for (const key of ['x-interop-repeated', 'x-interop-repeated-bin']) {
      call.metadata.get(key).forEach((value) => trailing.add(key, value));
    }
  }
  return trailing;
}

/** The error that ends the call as the request asks, or null. */
function statusAskedFor(request, trailing) {
  const status = request.response_status;
  return status && status.code !== 0 ? { code: status.code, details: status.message, metadata: trailing } : null;
}

/** Resolves when start's continuation is called or when the call is cancelled, and leaves no listener behind. */
async function unlessCancelled(call, start) {
  let settle;
  const settled = new Promise((resolve) => (settle = resolve));
  call.once('cancelled', settle);
  start(settle);
  await settled;
  call.off('cancelled', settle);
}

/** Public rule: a status in the request ends the call before this request's own responses. */
async function respond(call, request, trailing) {
  const error = statusAskedFor(request, trailing);
  if (error) {
    throw error;
  }
  for (const parameters of request.response_parameters) {
    if (parameters.interval_us > 0) {
      await unlessCancelled(call, (resume) => setTimeout(resume, parameters.interval_us / 1000).unref());
    }
    if (call.cancelled) {
      return;
    }
    if (!call.write({ payload: { body: Buffer.alloc(parameters.size) } })) {
      await unlessCancelled(call, (resume) => call.once('drain', resume));
    }
  }
}

/** The requests until the client's half close or cancel. Not `for await (of call)`: on this stack's duplex streams that never ends. */
async function* requestsOf(call) {
  const arrived = [];
  let ended = false;
  let wake = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  call.on('data', (request) => {
    arrived.push(request);
    wake();
  });
  call.on('end', end);
  call.on('cancelled', end);
  for (;;) {
    if (arrived.length > 0) {
      yield arrived.shift();
    } else if (ended) {
      return;
    } else {
      await new Promise((resolve) => (wake = resolve));
    }
  }
}

function streaming(serve) {
  return async (call) => {
    const trailing = observe(call);
    try {
      await serve(call, trailing);
      call.end(trailing);
    } catch (error) {
      if (!call.cancelled) {
        call.emit('error', error); // How this stack's streaming handlers end a call with a status.
      }
    }
  };
}

const testService = {
  EmptyCall(call, callback) {
    callback(null, {}, observe(call));
  },

  UnaryCall(call, callback) {
    const trailing = observe(call);
    const error = statusAskedFor(call.request, trailing);
    callback(error, error ? null : { payload: { body: Buffer.alloc(call.request.response_size) } }, trailing);
  },

  StreamingOutputCall: streaming((call, trailing) => respond(call, call.request, trailing)),

  StreamingInputCall(call, callback) {
    const trailing = observe(call);
    let total = 0;
    call.on('data', (request) => (total += request.payload ? request.payload.body.length : 0));
    call.on('end', () => callback(null, { aggregated_payload_size: total }, trailing));
  },

  FullDuplexCall: streaming(async (call, trailing) => {
    for await (const request of requestsOf(call)) {
      await respond(call, request, trailing);
    }
  }),

  HalfDuplexCall: streaming(async (call, trailing) => {
    const requests = [];
    for await (const request of requestsOf(call)) {
      requests.push(request);
    }
    for (const request of requests) {
      await respond(call, request, trailing);
    }
  }),
};

function credentials(arguments_) {
  const tls = arguments_.indexOf('--tls');
  if (tls < 0) {
    return grpc.ServerCredentials.createInsecure();
  }
  const [ca, certificate, key] = arguments_.slice(tls + 1, tls + 4).map((file) => fs.readFileSync(file));
  return grpc.ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: certificate }], true);
}

const server = new grpc.Server();
server.addService(contract.load().grpc.testing.TestService.service, testService);
server.bindAsync('127.0.0.1:0', credentials(process.argv), (error, port) => {
  if (error) {
    throw error;
  }
  report({ event: 'listening', port });
});

process.stdin.resume();
process.stdin.on('end', () => {
  server.forceShutdown();
  process.exit(0);
});

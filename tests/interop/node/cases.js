// The call kinds, sizes and counts: the cases that end well.
'use strict';

const grpc = require('@grpc/grpc-js');
const expect = require('./expect');

const MESSAGE_LIMIT = 4 * 1024 * 1024;
// A payload field and its body field: one tag byte and a four-byte length each, for bodies of 2 MiB to 256 MiB.
const PAYLOAD_OVERHEAD = 10;

const payload = (size) => ({ body: Buffer.alloc(size) });
const outputRequest = (sizes, payloadSize = 0, intervalUs = 0) => ({
  response_parameters: sizes.map((size) => ({ size, interval_us: intervalUs })),
  payload: payloadSize > 0 ? payload(payloadSize) : null,
});

/** Writes the requests with backpressure. */
async function write(call, requests) {
  for (const request of requests) {
    if (!call.write(request)) {
      await new Promise((resolve) => call.once('drain', resolve));
    }
  }
}

/** Writes the requests, then half-closes. */
async function send(call, requests) {
  await write(call, requests);
  call.end();
}

const emptyCall = (run) => expect.unary((done) => run.stub.EmptyCall({}, done));
const unaryCall = (run, request) => expect.unary((done) => run.stub.UnaryCall(request, done));
const inputCall = (run, sizes) =>
  expect.unary((done) => {
    const call = run.stub.StreamingInputCall(done);
    send(call, sizes.map((size) => ({ payload: payload(size) })));
    return call;
  });
const outputCall = (run, sizes) => new expect.Reader(run.stub.StreamingOutputCall(outputRequest(sizes)));
const pattern = (count) => Array.from({ length: count }, (_, index) => index % 97);
const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);

const CASES = {
  async empty_unary(run) {
    expect.equal({}, { ...(await emptyCall(run)).response }, 'response');
  },

  async large_unary(run) {
    const { response } = await unaryCall(run, { response_size: 314159, payload: payload(271828) });
    expect.zeros(314159, response.payload, 'response payload');
  },

  async client_streaming(run) {
    const sizes = [27182, 8, 1828, 45904];
    expect.equal(sum(sizes), (await inputCall(run, sizes)).response.aggregated_payload_size, 'aggregated size');
  },

  async server_streaming(run) {
    const sizes = [31415, 9, 2653, 58979];
    expect.equal(sizes, await outputCall(run, sizes).sizes(), 'response sizes');
  },

  async ping_pong(run) {
    const call = run.stub.FullDuplexCall();
    const reader = new expect.Reader(call);
    for (const [size, payloadSize] of [[31415, 27182], [9, 8], [2653, 1828], [58979, 45904]]) {
      call.write(outputRequest([size], payloadSize));
      expect.zeros(size, (await reader.next()).payload, 'response payload');
    }
    call.end();
    expect.equal(null, await reader.next(), 'end of stream');
  },

  async empty_stream(run) {
    const call = run.stub.FullDuplexCall();
    call.end();
    expect.equal(null, await new expect.Reader(call).next(), 'end of stream');
  },

  /** Messages of zero bytes keep their place in a stream; with gzip they are the ones a sender may not compress to nothing. */
  async empty_messages(run) {
    const call = run.stub.FullDuplexCall();
    const reader = new expect.Reader(call);
    for (let round = 0; round < 3; round++) {
      call.write(outputRequest([]));
      call.write(outputRequest([0]));
      expect.zeros(0, (await reader.next()).payload, 'response payload');
    }
    call.end();
    expect.equal(null, await reader.next(), 'end of stream');
  },

  /** Everything the server still sends after the client's half close arrives. */
  async half_close(run) {
    const sizes = [7, 0, 31415];
    const half = run.stub.HalfDuplexCall();
    send(half, sizes.map((size) => outputRequest([size])));
    expect.equal(sizes, await new expect.Reader(half).sizes(), 'sizes after half close');

    const full = run.stub.FullDuplexCall();
    send(full, [outputRequest(sizes, 0, 50_000)]);
    expect.equal(sizes, await new expect.Reader(full).sizes(), 'delayed sizes after half close');
  },

  async request_at_limit(run) {
    const size = MESSAGE_LIMIT - PAYLOAD_OVERHEAD;
    expect.zeros(0, (await unaryCall(run, { payload: payload(size) })).response.payload, 'response payload');
    const { response } = await inputCall(run, [size, size, size]);
    expect.equal(3 * size, response.aggregated_payload_size, 'aggregated size');
  },

  async request_over_limit(run) {
    const request = { payload: payload(MESSAGE_LIMIT - PAYLOAD_OVERHEAD + 1) };
    await expect.status(grpc.status.RESOURCE_EXHAUSTED, unaryCall(run, request));
    await emptyCall(run);
  },

  async response_at_limit(run) {
    const size = MESSAGE_LIMIT - PAYLOAD_OVERHEAD;
    expect.zeros(size, (await unaryCall(run, { response_size: size })).response.payload, 'response payload');
    expect.equal([size, size, size], await outputCall(run, [size, size, size]).sizes(), 'response sizes');
  },

  async response_over_limit(run) {
    const request = { response_size: MESSAGE_LIMIT - PAYLOAD_OVERHEAD + 1 };
    await expect.status(grpc.status.RESOURCE_EXHAUSTED, unaryCall(run, request));
    await emptyCall(run);
  },

  async long_server_stream(run) {
    const sizes = pattern(run.params.messages);
    expect.equal(sizes, await outputCall(run, sizes).sizes(), 'response sizes');
  },

  async long_client_stream(run) {
    const sizes = pattern(run.params.messages);
    expect.equal(sum(sizes), (await inputCall(run, sizes)).response.aggregated_payload_size, 'aggregated size');
  },

  /** Both directions full at once: the writer never waits for the reader. */
  async long_duplex_stream(run) {
    const sizes = pattern(run.params.messages);
    const call = run.stub.FullDuplexCall();
    const reader = new expect.Reader(call);
    send(call, sizes.map((size) => outputRequest([size], size)));
    expect.equal(sizes, await reader.sizes(), 'response sizes');
  },

  /** 40 MiB in one stream that is silent for longer than a server's upload limits, idle timers and first keep-alive PINGs. */
  async upload_with_pause(run) {
    const half = Array.from({ length: 20 }, () => ({ payload: payload(1024 * 1024) }));
    const { response } = await expect.unary((done) => {
      const call = run.stub.StreamingInputCall(done);
      write(call, half)
        .then(() => new Promise((resolve) => setTimeout(resolve, run.params.pause_s * 1000)))
        .then(() => send(call, half));
      return call;
    });
    expect.equal(40 * 1024 * 1024, response.aggregated_payload_size, 'aggregated size');
  },

  /** All streams are open at once: none is finished before each of them has had its first answer. */
  async concurrent_streams(run) {
    const calls = Array.from({ length: run.params.streams }, () => {
      const call = run.stub.FullDuplexCall();
      return { call, reader: new expect.Reader(call) };
    });
    await Promise.all(
      calls.map(async ({ call, reader }, index) => {
        call.write(outputRequest([(index % 1000) + 1]));
        expect.zeros((index % 1000) + 1, (await reader.next()).payload, `stream ${index}`);
      }),
    );
    await Promise.all(
      calls.map(async ({ call, reader }) => {
        call.end();
        expect.equal(null, await reader.next(), 'end of stream');
      }),
    );
  },
};

module.exports = { CASES, payload, outputRequest, emptyCall, unaryCall };

// Metadata, statuses, deadlines and cancellation: the cases about how calls are steered and how they fail.
'use strict';

const grpc = require('@grpc/grpc-js');
const expect = require('./expect');
const { payload, outputRequest, emptyCall, unaryCall } = require('./cases');

const SPECIAL_MESSAGE = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n';
const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';

function metadata(entries) {
  const all = new grpc.Metadata();
  for (const [key, value] of Object.entries(entries)) {
    all.set(key, value);
  }
  return all;
}

const callId = (run) => metadata(run.params.call_id === undefined ? {} : { 'x-interop-call-id': run.params.call_id });
const after = (milliseconds) => ({ deadline: Date.now() + milliseconds });
const asking = (request, code, message) => ({ ...request, response_status: { code, message } });

function expectEcho(sent, { initial, trailing }) {
  expect.equal([sent[INITIAL]], initial.get(INITIAL), 'initial metadata');
  expect.equal([sent[TRAILING]], trailing.get(TRAILING), 'trailing metadata');
}

async function statusBeforeMessage(run, code, message) {
  await expect.status(code, unaryCall(run, asking({}, code, message)), message);
  const stream = new expect.Reader(run.stub.StreamingOutputCall(asking(outputRequest([]), code, message)));
  await expect.status(code, stream.sizes(), message);
}

const CASES = {
  async custom_metadata(run) {
    const everyByte = Array.from({ length: 256 }, (_, index) => index);
    const sent = { [INITIAL]: 'test_initial_metadata_value', [TRAILING]: Buffer.from([0xab, 0xab, 0xab, ...everyByte]) };

    const request = { response_size: 314159, payload: payload(271828) };
    const unary = await expect.unary((done) => run.stub.UnaryCall(request, metadata(sent), done));
    expect.zeros(314159, unary.response.payload, 'response payload');
    expectEcho(sent, unary);

    const call = run.stub.FullDuplexCall(metadata(sent));
    const reader = new expect.Reader(call);
    call.write(outputRequest([314159], 271828));
    expect.zeros(314159, (await reader.next()).payload, 'response payload');
    call.end();
    expect.equal(null, await reader.next(), 'end of stream');
    expectEcho(sent, reader);
  },

  /** Every value of a key arrives, in order. Text values may be joined on the way, as HTTP allows; binary ones may not stay so. */
  async repeated_metadata(run) {
    const texts = ['one', 'two', 'three'];
    const blobs = [Buffer.from([]), Buffer.from([0]), Buffer.from([1, 2, 3, 0xff])];
    const sent = metadata({ 'x-interop-echo-repeated': '1' });
    texts.forEach((text) => sent.add('x-interop-repeated', text));
    blobs.forEach((blob) => sent.add('x-interop-repeated-bin', blob));
    const { trailing } = await expect.unary((done) => run.stub.EmptyCall({}, sent, done));
    const seen = trailing.get('x-interop-repeated').flatMap((value) => value.split(',').map((part) => part.trim()));
    expect.equal(texts, seen, 'text values');
    expect.equal(blobs, trailing.get('x-interop-repeated-bin'), 'binary values');
  },

  /** Both kinds of metadata also arrive with a call that fails. */
  async metadata_with_error(run) {
    const sent = { [INITIAL]: 'seen', [TRAILING]: Buffer.from([0x00, 0xff]) };
    const request = asking({}, grpc.status.FAILED_PRECONDITION, 'not now');
    const call = expect.unary((done) => run.stub.UnaryCall(request, metadata(sent), done));
    const error = await expect.status(grpc.status.FAILED_PRECONDITION, call, 'not now');
    expectEcho(sent, { initial: error.initial, trailing: error.metadata });
  },

  async status_code_and_message(run) {
    await statusBeforeMessage(run, grpc.status.UNKNOWN, 'test status message');
    const call = run.stub.FullDuplexCall();
    call.write(asking(outputRequest([]), grpc.status.UNKNOWN, 'test status message'));
    call.end();
    await expect.status(grpc.status.UNKNOWN, new expect.Reader(call).sizes(), 'test status message');
  },

  async special_status_message(run) {
    const request = asking({}, grpc.status.UNKNOWN, SPECIAL_MESSAGE);
    await expect.status(grpc.status.UNKNOWN, unaryCall(run, request), SPECIAL_MESSAGE);
  },

  async status_before_message(run) {
    await statusBeforeMessage(run, run.params.code, `code ${run.params.code} of 100% \u00fc`);
  },

  async status_after_message(run) {
    const { code } = run.params;
    const call = run.stub.FullDuplexCall();
    const reader = new expect.Reader(call);
    call.write(outputRequest([17, 0]));
    expect.zeros(17, (await reader.next()).payload, 'first response');
    expect.zeros(0, (await reader.next()).payload, 'second response');
    call.write(asking(outputRequest([]), code, `after ${code}`));
    await expect.status(code, reader.sizes(), `after ${code}`);
  },

  async unimplemented_method(run) {
    await expect.status(grpc.status.UNIMPLEMENTED, expect.unary((done) => run.stub.UnimplementedCall({}, done)));
  },

  async unimplemented_service(run) {
    const stub = run.stubOf('grpc.testing.UnimplementedService');
    await expect.status(grpc.status.UNIMPLEMENTED, expect.unary((done) => stub.UnimplementedCall({}, done)));
  },

  async cancel_after_begin(run) {
    // Needs a connection first, or the cancel would never leave this process.
    await emptyCall(run);
    const ended = expect.unary((done) => {
      const call = run.stub.StreamingInputCall(callId(run), done);
      call.write({ payload: payload(1) }, () => call.cancel());
      return call;
    });
    await expect.status(grpc.status.CANCELLED, ended);
  },

  async cancel_after_first_response(run) {
    const call = run.stub.FullDuplexCall(callId(run));
    const reader = new expect.Reader(call);
    call.write(outputRequest([31415], 27182));
    expect.zeros(31415, (await reader.next()).payload, 'response payload');
    call.cancel();
    await expect.status(grpc.status.CANCELLED, reader.sizes());
  },

  async timeout_on_sleeping_server(run) {
    const call = run.stub.FullDuplexCall(after(1));
    const reader = new expect.Reader(call);
    call.write(outputRequest([], 27182));
    await expect.status(grpc.status.DEADLINE_EXCEEDED, reader.sizes());
  },

  async deadline_before_first_message(run) {
    const call = run.stub.StreamingOutputCall(outputRequest([1], 0, 20_000_000), callId(run), after(300));
    await expect.status(grpc.status.DEADLINE_EXCEEDED, new expect.Reader(call).sizes());
  },

  async deadline_after_message(run) {
    const request = { response_parameters: [{ size: 5 }, { size: 6, interval_us: 20_000_000 }] };
    const reader = new expect.Reader(run.stub.StreamingOutputCall(request, callId(run), after(500)));
    expect.zeros(5, (await reader.next()).payload, 'response payload');
    await expect.status(grpc.status.DEADLINE_EXCEEDED, reader.sizes());
  },

  async deadline_already_past(run) {
    const call = expect.unary((done) => run.stub.EmptyCall({}, after(-1000), done));
    await expect.status(grpc.status.DEADLINE_EXCEEDED, call);
  },

  /** The server sees about the time that the client gave, and none when the client gave none. */
  async deadline_reaches_server(run) {
    const ask = metadata({ 'x-interop-echo-deadline': '1' });
    const seen = async (options) => {
      const { trailing } = await expect.unary((done) => run.stub.EmptyCall({}, ask, options, done));
      return trailing.get('x-interop-time-remaining-ms')[0];
    };
    for (const timeout of [900, 25_000, 7_200_000, 1_000_000_000]) {
      const remaining = Number(await seen(after(timeout)));
      // Stacks round when they write grpc-timeout, by less than a hundredth.
      if (!(remaining >= timeout * 0.5 && remaining <= timeout * 1.01)) {
        throw new Error(`timeout ${timeout} ms: the server saw ${remaining} ms left`);
      }
    }
    expect.equal('none', await seen({}), 'time left without a deadline');
  },

  /** The connection is refused, or TLS does not come about. */
  async unavailable(run) {
    await expect.status(grpc.status.UNAVAILABLE, emptyCall(run));
  },

  /** A live stream ends with UNAVAILABLE when the server stops under it. */
  async server_goes_away(run) {
    const call = run.stub.FullDuplexCall();
    const reader = new expect.Reader(call);
    call.write(outputRequest([3]));
    expect.zeros(3, (await reader.next()).payload, 'response payload');
    run.progress('streaming');
    await expect.status(grpc.status.UNAVAILABLE, reader.sizes());
  },
};

module.exports = { CASES };

// The services that tools expect of every server: health and reflection, and the reading of a foreign server's contract.
'use strict';

const grpc = require('@grpc/grpc-js');
const descriptor = require('protobufjs/ext/descriptor');
const contract = require('./contract');
const expect = require('./expect');

const SERVICE = 'grpc.testing.TestService';

const health = (run) => run.stubOf('grpc.health.v1.Health');
const check = (run, service) => expect.unary((done) => health(run).Check({ service }, done));

/** One conversation with the server's reflection service. */
class Reflection {
  constructor(run) {
    this._call = run.stubOf(`grpc.reflection.${run.params.version}.ServerReflection`).ServerReflectionInfo();
    this._reader = new expect.Reader(this._call);
  }

  async ask(question) {
    this._call.write({ host: 'interop', ...question });
    const response = await this._reader.next();
    const [kind, value] = Object.entries(question)[0];
    expect.equal({ host: 'interop', value }, { host: response.original_request.host, value: response.original_request[kind] }, 'echo');
    return response;
  }

  /** Name to {bytes, file} of the files in the answer. */
  async files(question) {
    const response = await this.ask(question);
    expect.equal('file_descriptor_response', response.message_response, `answer to ${JSON.stringify(question)}`);
    const parse = (bytes) => ({ bytes, file: descriptor.FileDescriptorProto.decode(bytes) });
    return new Map(response.file_descriptor_response.file_descriptor_proto.map(parse).map((entry) => [entry.file.name, entry]));
  }

  async end() {
    this._call.end();
    expect.equal(null, await this._reader.next(), 'end of the conversation');
  }
}

const CASES = {
  async health_check(run) {
    for (const service of ['', SERVICE]) {
      expect.equal('SERVING', (await check(run, service)).response.status, `health of '${service}'`);
    }
  },

  async health_check_unknown(run) {
    await expect.status(grpc.status.NOT_FOUND, check(run, 'no.such.Service'));
  },

  /** Reports each state as progress; the test changes the state, and the case ends when it has seen the states in params. */
  async health_watch(run) {
    const call = health(run).Watch({ service: run.params.service });
    const reader = new expect.Reader(call);
    for (const expected of run.params.states) {
      expect.equal(expected, (await reader.next()).status, 'watched state');
      run.progress(expected);
    }
    call.cancel();
    await expect.status(grpc.status.CANCELLED, reader.sizes());
  },

  async reflection_list(run) {
    const reflection = new Reflection(run);
    const response = await reflection.ask({ list_services: '*' });
    const names = response.list_services_response.service.map((service) => service.name);
    for (const name of [SERVICE, 'grpc.health.v1.Health', `grpc.reflection.${run.params.version}.ServerReflection`]) {
      expect.equal(true, names.includes(name), `${name} is among ${names}`);
    }
    await reflection.end();
  },

  async reflection_files(run) {
    const reflection = new Reflection(run);
    for (const symbol of [SERVICE, `${SERVICE}.UnaryCall`, 'grpc.testing.SimpleRequest']) {
      const files = [...(await reflection.files({ file_containing_symbol: symbol })).values()];
      expect.equal(true, files.some(({ file }) => file.package === 'grpc.testing'), `${symbol} is in the files`);
    }
    const files = await reflection.files({ file_by_filename: 'grpc/testing/messages.proto' });
    expect.equal(true, files.has('grpc/testing/messages.proto'), 'the file asked for is in the answer');
    await reflection.end();
  },

  /** What the server does not know is an answer in the stream, not the end of it. */
  async reflection_unknown(run) {
    const reflection = new Reflection(run);
    for (const question of [{ file_containing_symbol: 'no.such.Symbol' }, { file_by_filename: 'no/such.proto' }]) {
      const response = await reflection.ask(question);
      expect.equal('error_response', response.message_response, `answer to ${JSON.stringify(question)}`);
      expect.equal(grpc.status.NOT_FOUND, response.error_response.error_code, 'error code');
    }
    await reflection.end();
  },

  /** What a generic tool does: learn the service from the server alone, then call it. */
  async reflection_call(run) {
    const reflection = new Reflection(run);
    const files = await reflection.files({ file_containing_symbol: SERVICE });
    const wanted = [...files.values()].flatMap(({ file }) => file.dependency);
    while (wanted.length > 0) {
      const name = wanted.pop();
      if (!files.has(name)) {
        for (const [found, entry] of await reflection.files({ file_by_filename: name })) {
          files.set(found, entry);
          wanted.push(...entry.file.dependency);
        }
      }
    }
    await reflection.end();

    const learned = contract.fromDescriptors([...files.values()].map(({ bytes }) => bytes));
    const stub = run.open(contract.find(learned, SERVICE));
    const { response } = await expect.unary((done) => stub.UnaryCall({ response_size: 11 }, done));
    expect.zeros(11, response.payload, 'response payload');
  },
};

module.exports = { CASES };

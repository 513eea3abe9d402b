// Assertions that say what was expected and what was seen, and the readers that make grpc-js calls awaitable.
'use strict';

const { isDeepStrictEqual, inspect } = require('node:util');
const grpc = require('@grpc/grpc-js');

function equal(expected, seen, what) {
  if (!isDeepStrictEqual(expected, seen)) {
    throw new Error(`${what}: expected ${inspect(expected)}, saw ${inspect(seen)}`);
  }
}

function zeros(size, payload, what) {
  const body = payload ? payload.body : Buffer.alloc(0);
  equal(size, body.length, `${what} size`);
  if (body.some((byte) => byte !== 0)) {
    throw new Error(`${what}: a byte that is not zero`);
  }
}

/** The promise fails with this status. Returns the error for its metadata. */
async function status(code, promise, message) {
  let response;
  try {
    response = await promise;
  } catch (error) {
    if (error.code === undefined) {
      throw error;
    }
    equal(grpc.status[code], grpc.status[error.code], `status code (message ${inspect(error.details)})`);
    if (message !== undefined) {
      equal(message, error.details, 'status message');
    }
    return error;
  }
  throw new Error(`expected ${grpc.status[code]}, the call succeeded with ${inspect(response)}`);
}

/** Starts a call with one response: start(callback) makes it. Resolves to {response, initial, trailing}. */
function unary(start) {
  return new Promise((resolve, reject) => {
    let initial;
    let trailing;
    let response;
    const call = start((error, value) => {
      if (error) {
        error.initial = initial;
        reject(error);
      } else {
        response = value;
      }
    });
    call.on('metadata', (metadata) => (initial = metadata));
    call.on('status', (end) => {
      trailing = end.metadata;
      if (end.code === grpc.status.OK) {
        resolve({ response, initial, trailing });
      }
    });
  });
}

/** Reads a call with many responses: next() is a response, or null at the end; it throws the status of a call that fails. */
class Reader {
  constructor(call) {
    this.initial = undefined;
    this.trailing = undefined;
    this._arrived = [];
    this._ended = false;
    this._status = undefined;
    this._wake = () => {};
    const on = (event, act) =>
      call.on(event, (value) => {
        act(value);
        this._wake();
      });
    on('metadata', (metadata) => (this.initial = metadata));
    on('data', (response) => this._arrived.push(response));
    on('end', () => (this._ended = true));
    on('status', (end) => {
      this._status = end;
      this.trailing = end.metadata;
    });
    // The same as the status; without a listener it would end the process.
    on('error', () => {});
  }

  async next() {
    while (this._arrived.length === 0) {
      if (this._ended && this._status) {
        if (this._status.code !== grpc.status.OK) {
          throw Object.assign(new Error(this._status.details), this._status);
        }
        return null;
      }
      await new Promise((resolve) => (this._wake = resolve));
    }
    return this._arrived.shift();
  }

  async sizes() {
    const sizes = [];
    for (let response = await this.next(); response !== null; response = await this.next()) {
      sizes.push(response.payload ? response.payload.body.length : 0);
    }
    return sizes;
  }
}

module.exports = { equal, zeros, status, unary, Reader };

// The interop contract as grpc-js service definitions, read from the .proto files at start.
'use strict';

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
const FILES = [
  'grpc/testing/test.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
];

/** The packages of this tree's .proto files, as one nested object: contract.grpc.testing.TestService is a client class. */
function load() {
  const root = path.resolve(__dirname, '../../..');
  const includeDirs = [path.join(root, 'tests/interop/proto'), path.join(root, 'protos')];
  return grpc.loadPackageDefinition(protoLoader.loadSync(FILES, { ...OPTIONS, includeDirs }));
}

/** The same from serialized FileDescriptorProtos, as a reflection server hands them out. */
function fromDescriptors(files) {
  const set = Buffer.concat(files.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]));
  return grpc.loadPackageDefinition(protoLoader.loadFileDescriptorSetFromBuffer(set, OPTIONS));
}

function varint(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) {
    bytes.push((value & 0x7f) | 0x80);
  }
  bytes.push(value);
  return bytes;
}

/** The class or namespace with this dotted name. */
function find(contract, fullName) {
  return fullName.split('.').reduce((scope, name) => scope[name], contract);
}

module.exports = { load, fromDescriptors, find };

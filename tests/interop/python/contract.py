"""Message classes and method tables of the interop contract, built from the .proto files at start.

Debian has no grpc_tools that matches its python3-grpcio, and generated code in the tree could drift from the contract; protoc's
descriptor set needs neither. One protoc run takes about 20 ms.
"""

import subprocess
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_INTEROP_PROTOS = Path(__file__).resolve().parent.parent / "proto"
_PRODUCT_PROTOS = Path(__file__).resolve().parents[3] / "protos"
_FILES = (
    "grpc/testing/test.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
)


class Contract:
    """Looks message classes and services up by full name in one descriptor pool."""

    def __init__(self, files):
        """files: FileDescriptorProtos, each after the ones it imports."""
        self._pool = descriptor_pool.DescriptorPool()
        for file in files:
            self._pool.Add(file)
        self._factory = message_factory.MessageFactory(self._pool)

    def message(self, full_name):
        return self._class_of(self._pool.FindMessageTypeByName(full_name))

    def service(self, full_name):
        return self._pool.FindServiceByName(full_name)

    def stub(self, channel, full_name):
        """A stub as grpc_python_plugin would generate it, as far as the channel is concerned."""
        return Stub(self, channel, self.service(full_name))

    def handler(self, full_name, implementation):
        """Registers every method that the implementation has; the others stay UNIMPLEMENTED."""
        handlers = {}
        for method in self.service(full_name).methods:
            behaviour = getattr(implementation, method.name, None)
            if behaviour is not None:
                make = getattr(grpc, f"{_kind(method)}_rpc_method_handler")
                handlers[method.name] = make(
                    behaviour,
                    request_deserializer=self._class_of(method.input_type).FromString,
                    response_serializer=self._class_of(method.output_type).SerializeToString,
                )
        return grpc.method_handlers_generic_handler(full_name, handlers)

    def _class_of(self, descriptor):
        return self._factory.GetPrototype(descriptor)


class Stub:
    def __init__(self, contract, channel, service):
        for method in service.methods:
            call = getattr(channel, _kind(method))(
                f"/{service.full_name}/{method.name}",
                request_serializer=contract._class_of(method.input_type).SerializeToString,
                response_deserializer=contract._class_of(method.output_type).FromString,
            )
            setattr(self, method.name, call)


def _kind(method):
    # The descriptor objects of this protobuf version do not expose the streaming flags; the proto does.
    proto = descriptor_pb2.MethodDescriptorProto()
    method.CopyToProto(proto)
    sides = ("stream" if streaming else "unary" for streaming in (proto.client_streaming, proto.server_streaming))
    return "_".join(sides)


def load():
    """The contract of this tree. Raises CalledProcessError when protoc rejects it."""
    command = [
        "protoc",
        f"--proto_path={_INTEROP_PROTOS}",
        f"--proto_path={_PRODUCT_PROTOS}",
        "--include_imports",
        "--descriptor_set_out=/dev/stdout",
        *_FILES,
    ]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=30).stdout
    return Contract(descriptor_pb2.FileDescriptorSet.FromString(output).file)

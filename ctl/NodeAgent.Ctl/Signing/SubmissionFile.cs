using Google.Protobuf;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Signing;

/// <summary>Signed commands in a file, so that they can be signed where the key is and submitted where the network is: an encoded SubmitRequest.</summary>
internal static class SubmissionFile
{
    private const int MaxBytes = 64 << 20;

    internal static void Write(string path, SubmitRequest request)
    {
        try
        {
            File.WriteAllBytes(path, request.ToByteArray());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CtlException(ExitCode.Failure, "cannot write the commands", e.Message, cause: e);
        }
    }

    internal static SubmitRequest Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw new CtlException(ExitCode.Failure, "cannot read the commands", $"{path} is larger than {MaxBytes} bytes");
            return SubmitRequest.Parser.ParseFrom(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidProtocolBufferException)
        {
            throw new CtlException(ExitCode.Failure, "cannot read the commands", $"{path}: {e.Message}", cause: e);
        }
    }
}

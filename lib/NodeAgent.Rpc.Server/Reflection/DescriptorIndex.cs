using Google.Protobuf.Reflection;

namespace NodeAgent.Rpc.Server.Reflection;

/// <summary>Every file, symbol and extension that the served services need, by name. Built once.</summary>
internal sealed class DescriptorIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> _symbols = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> _extensions = new(StringComparer.Ordinal);

    internal DescriptorIndex(IEnumerable<ServiceDescriptor> services)
    {
        foreach (ServiceDescriptor service in services)
        {
            AddFile(service.File);
        }
    }

    internal FileDescriptor? FindFile(string name) => _files.GetValueOrDefault(name);

    /// <summary>The file that declares a message, field, oneof, enum, enum value, service, method or extension.</summary>
    internal FileDescriptor? FindSymbol(string fullName) => _symbols.GetValueOrDefault(fullName.TrimStart('.'));

    internal FileDescriptor? FindExtension(string containingType, int number) =>
        _extensions.TryGetValue(containingType.TrimStart('.'), out var numbers) ? numbers.GetValueOrDefault(number) : null;

    /// <summary>All known extension numbers of a message type, ascending; null when the type is not known.</summary>
    internal IReadOnlyCollection<int>? FindExtensionNumbers(string containingType)
    {
        string name = containingType.TrimStart('.');
        return _extensions.TryGetValue(name, out var numbers) ? numbers.Keys : _symbols.ContainsKey(name) ? [] : null;
    }

    /// <summary>A file and everything it imports, each once, imports after what needs them.</summary>
    internal static IReadOnlyList<FileDescriptor> Closure(FileDescriptor file)
    {
        List<FileDescriptor> files = [file];
        HashSet<string> seen = new(StringComparer.Ordinal) { file.Name };
        for (int i = 0; i < files.Count; i++)
        {
            files.AddRange(files[i].Dependencies.Where(dependency => seen.Add(dependency.Name)));
        }

        return files;
    }

    private void AddFile(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file))
        {
            return;
        }

        foreach (FileDescriptor dependency in file.Dependencies)
        {
            AddFile(dependency);
        }

        foreach (ServiceDescriptor service in file.Services)
        {
            _symbols.TryAdd(service.FullName, file);
            foreach (MethodDescriptor method in service.Methods)
            {
                _symbols.TryAdd(method.FullName, file);
            }
        }

        AddMessages(file.MessageTypes);
        AddEnums(file.EnumTypes);
        AddExtensions(file.Extensions.UnorderedExtensions);
    }

    private void AddMessages(IEnumerable<MessageDescriptor> messages)
    {
        foreach (MessageDescriptor message in messages)
        {
            _symbols.TryAdd(message.FullName, message.File);
            foreach (FieldDescriptor field in message.Fields.InDeclarationOrder())
            {
                _symbols.TryAdd(field.FullName, message.File);
            }

            foreach (OneofDescriptor oneof in message.Oneofs)
            {
                _symbols.TryAdd(oneof.FullName, message.File);
            }

            AddMessages(message.NestedTypes);
            AddEnums(message.EnumTypes);
            AddExtensions(message.Extensions.UnorderedExtensions);
        }
    }

    private void AddEnums(IEnumerable<EnumDescriptor> enums)
    {
        foreach (EnumDescriptor type in enums)
        {
            _symbols.TryAdd(type.FullName, type.File);
            foreach (EnumValueDescriptor value in type.Values)
            {
                // protobuf names a value beside its enum; C#'s FullName puts it inside.
                _symbols.TryAdd(value.FullName, type.File);
                _symbols.TryAdd(type.FullName[..(type.FullName.Length - type.Name.Length)] + value.Name, type.File);
            }
        }
    }

    private void AddExtensions(IEnumerable<FieldDescriptor> extensions)
    {
        foreach (FieldDescriptor extension in extensions)
        {
            _symbols.TryAdd(extension.FullName, extension.File);
            string extended = extension.ExtendeeType.FullName;
            if (!_extensions.TryGetValue(extended, out SortedDictionary<int, FileDescriptor>? numbers))
            {
                _extensions[extended] = numbers = [];
            }

            numbers.TryAdd(extension.FieldNumber, extension.File);
        }
    }
}

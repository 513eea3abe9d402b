namespace NodeAgent.Ctl.Completion;

/// <summary>
/// One script a shell. Each only asks <c>nodectl "[suggest:POSITION]" "LINE"</c> and hands the lines to the shell, so that new
/// commands and options complete without a new script. POSITION counts characters from the line's beginning.
/// </summary>
internal static class CompletionScripts
{
    public static readonly IReadOnlyList<string> Shells = ["bash", "zsh", "fish", "powershell"];

    public static bool TryGet(string shell, out string script)
    {
        script = shell switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            "powershell" => PowerShell,
            _ => "",
        };
        return script.Length > 0;
    }

    // Selectors hold quotes and braces, at which bash splits words; only suggestions for plain words are asked for.
    private const string Bash = """
        # nodectl completion for bash. Install: source <(nodectl completion bash)
        _nodectl() {
            local line="${COMP_LINE:0:$COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _nodectl nodectl

        """;

    private const string Zsh = """
        #compdef nodectl
        # nodectl completion for zsh. Install: source <(nodectl completion zsh), after compinit.
        _nodectl() {
            local line="${(j: :)words[1,CURRENT]}"
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            [[ -n "${found[1]}" ]] && compadd -a found || _files
        }
        compdef _nodectl nodectl

        """;

    private const string Fish = """
        # nodectl completion for fish. Install: nodectl completion fish > ~/.config/fish/completions/nodectl.fish
        function __nodectl_complete
            set -l line (commandline -cp)
            nodectl "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c nodectl -f -a '(__nodectl_complete)'
        for option in ca cert key
            complete -c nodectl -l $option -r -F
        end

        """;

    private const string PowerShell = """
        # nodectl completion for PowerShell. Install: nodectl completion powershell | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName nodectl -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            $line = $commandAst.ToString().PadRight($cursorPosition).Substring(0, $cursorPosition)
            nodectl "[suggest:$cursorPosition]" "$line" 2>$null | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }

        """;
}

using System.Runtime.CompilerServices;

// The codecs take their scratch from the stack and fill it before they read it; clearing it first would cost as much as the work.
[module: SkipLocalsInit]

/**
 * Scripts that teach a shell the words of the command line. They hold the words, so that nothing runs on a press of Tab,
 * and nothing that was typed is ever evaluated.
 * @module
 */
import type { CommandWord, OptionWord, SHELLS, Values } from './command-words.js';

/** The script of each shell. */
export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (commands: readonly CommandWord[]) => string>> = {
  bash,
  zsh,
  fish,
};

/** Options that lead to the same values within a command. */
function byValues({ options }: CommandWord): Map<string, { values: Values; names: string[] }> {
  const found = new Map<string, { values: Values; names: string[] }>();
  for (const { name, values } of options) {
    if (values === undefined) continue;
    const key = String(values);
    const entry = found.get(key) ?? { values, names: [] };
    entry.names.push(`--${name}`);
    found.set(key, entry);
  }
  return found;
}

/** bash 3.2 and later. Files are those of readline (`-o default`), where there is nothing else to say. */
function bash(commands: readonly CommandWord[]): string {
  const says = (values: Values): string => {
    if (values === 'file') return 'return ;;';
    if (values === 'folder') return 'compopt -o dirnames +o default 2>/dev/null; return ;;';
    if (values === 'any') return 'compopt +o default 2>/dev/null; return ;;';
    return `words='${values.join(' ')}' ;;`;
  };
  const cases = commands.flatMap((command) => [
    ...Array.from(byValues(command).values(), ({ values, names }) => {
      const patterns = names.map((name) => `'${command.name} ${name}'`).join(' | ');
      return `    ${patterns}) ${says(values)}`;
    }),
  ]);
  const rest = commands.map(({ name, options, positionals }) => {
    const flags = [...options.map((option) => `--${option.name}`), '--help'].join(' ');
    const others = typeof positionals === 'string' ? '' : positionals.join(' ');
    return `      ${name}) flags='${flags}' others='${others}' ;;`;
  });
  return `# Words of quantlane for bash: source <(quantlane completion bash)
_quantlane() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" words='' flags='' others=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  # bash makes three words of --name=value.
  if [ "$current" = = ]; then
    current=''
  elif [ "$before" = = ]; then
    before="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  case "\${COMP_WORDS[1]} $before" in
${cases.join('\n')}
  esac
  if [ -z "$words" ]; then
    case "\${COMP_WORDS[1]}" in
${rest.join('\n')}
    esac
    case "$current" in
      -*) words="$flags" ;;
      *) words="$others" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _quantlane quantlane`;
}

/** zsh, once \`compinit\` has run; the same text does as \`_quantlane\` in a folder of \`fpath\`. */
function zsh(commands: readonly CommandWord[]): string {
  const action = (values: Values): string => {
    if (values === 'file') return '_files';
    if (values === 'folder') return '_files -/';
    return values === 'any' ? ' ' : `(${values.join(' ')})`;
  };
  const spec = ({ name, description, values }: OptionWord): string =>
    quotedForZsh(
      values === undefined
        ? `--${name}[${bracketed(description)}]`
        : `--${name}=[${bracketed(description)}]:value:${action(values)}`,
    );
  const cases = commands.map(({ name, options, positionals }) => {
    const specs = [...options.map(spec), quotedForZsh('--help[How it is used]')];
    if (positionals.length > 0) specs.push(quotedForZsh(`*:argument:${action(positionals)}`));
    return `    ${name}) _arguments -S ${specs.join(' \\\n      ')} ;;`;
  });
  const names = commands.map(({ name, description }) => `    ${quotedForZsh(`${name}:${description}`)}`);
  return `#compdef quantlane
# Words of quantlane for zsh: source <(quantlane completion zsh)
_quantlane() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "\${funcstack[1]}" = _quantlane ]; then _quantlane "$@"; else compdef _quantlane quantlane; fi`;
}

function fish(commands: readonly CommandWord[]): string {
  const takes = (values: Values | undefined): string => {
    if (values === undefined) return '';
    if (values === 'file') return ' --require-parameter --force-files';
    if (values === 'folder') return " --exclusive --arguments '(__fish_complete_directories)'";
    return values === 'any' ? ' --exclusive' : ` --exclusive --arguments ${quotedForFish(values.join(' '))}`;
  };
  const lines = commands.flatMap(({ name, description, options, positionals }) => [
    `complete --command quantlane --condition __fish_use_subcommand --no-files --arguments ${name} --description ${quotedForFish(description)}`,
    ...options.map((option) => {
      const condition = `'__fish_seen_subcommand_from ${name}'`;
      const says = quotedForFish(option.description);
      return `complete --command quantlane --condition ${condition} --long-option ${option.name}${takes(option.values)} --description ${says}`;
    }),
    ...(typeof positionals === 'string'
      ? []
      : [
          `complete --command quantlane --condition '__fish_seen_subcommand_from ${name}' --no-files --arguments ${quotedForFish(positionals.join(' '))}`,
        ]),
  ]);
  return ['# Words of quantlane for fish: quantlane completion fish | source', ...lines].join('\n');
}

function bracketed(text: string): string {
  return text.replace(/[[\]\\]/g, '\\$&');
}

function quotedForZsh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function quotedForFish(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

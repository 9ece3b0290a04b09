import { load } from 'js-yaml';

/** An input or output as action.yml and workflow_call state it. */
export interface Entry {
  readonly description?: string;
  readonly required?: boolean;
  readonly default?: string | boolean | number;
}

/** What a user sets and gets; `inputs` and `outputs` may be empty. */
export interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, Entry>>;
  readonly outputs: Readonly<Record<string, Entry>>;
}

/** The facts of an action.yml. @throws YAMLException when it does not parse */
export function readAction(yaml: string): Manifest {
  const { name = '', description = '', inputs, outputs } = load(yaml) as Partial<Manifest>;
  return { name, description, inputs: inputs ?? {}, outputs: outputs ?? {} };
}

/** The facts of a reusable workflow; `undefined` when it cannot be called. */
export function readWorkflow(yaml: string): Manifest | undefined {
  const workflow = load(yaml) as { name?: string; on?: { workflow_call?: Partial<Manifest> | null } };
  const call = workflow.on?.workflow_call;
  if (call === undefined) return undefined;
  const comment = /^#\s*(.+(?:\n#.*)*)/.exec(yaml)?.[1] ?? '';
  const description = comment.replaceAll(/\n#\s*/g, ' ');
  return { name: workflow.name ?? '', description, inputs: call?.inputs ?? {}, outputs: call?.outputs ?? {} };
}

/** Inputs as a Markdown table. */
export function inputTable(inputs: Manifest['inputs']): string {
  const rows = Object.entries(inputs).map(([name, entry]) => [
    `\`${name}\``,
    oneLine(entry.description),
    shownDefault(entry),
  ]);
  return rows.length === 0 ? 'None.' : table(['input', 'what it says', 'default'], rows);
}

/** Outputs as a Markdown table. */
export function outputTable(outputs: Manifest['outputs']): string {
  const rows = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, oneLine(description)]);
  return rows.length === 0 ? 'None.' : table(['output', 'what it holds'], rows);
}

/** A list of actions or workflows: name (linked to `href`) and what each does. */
export function indexTable(head: string, rows: readonly { name: string; href: string; description: string }[]): string {
  return table(
    [head, 'what it does'],
    rows.map(({ name, href, description }) => [`[\`${name}\`](${href})`, oneLine(description)]),
  );
}

/**
 * The text with what stands between `<!-- mark:start -->` and `<!-- mark:end -->` replaced.
 * @throws Error when the two marks are not both there
 */
export function fill(markdown: string, mark: string, content: string): string {
  const [start, end] = [`<!-- ${mark}:start -->`, `<!-- ${mark}:end -->`];
  const [from, to] = [markdown.indexOf(start), markdown.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${start} … ${end} is missing`);
  return `${markdown.slice(0, from)}${start}\n${content}\n${markdown.slice(to)}`;
}

/** What stands between `<!-- mark:start -->` and `<!-- mark:end -->`. @throws Error when they are not both there */
export function between(markdown: string, mark: string): string {
  const [start, end] = [`<!-- ${mark}:start -->\n`, `\n<!-- ${mark}:end -->`];
  const [from, to] = [markdown.indexOf(start), markdown.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${start.trim()} … ${end.trim()} is missing`);
  return markdown.slice(from + start.length, to);
}

function shownDefault({ default: value, required }: Entry): string {
  if (value === undefined || value === '') return required ? '**required**' : '';
  return `\`${oneLine(String(value))}\``;
}

function oneLine(text = ''): string {
  return text.trim().replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

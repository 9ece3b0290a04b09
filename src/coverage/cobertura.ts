import { parser } from 'sax';
import { Gatherer, type ParsedCoverage, addLine } from './coverage.ts';

const MAX_DEPTH = 50;
const MAX_ROOTS = 100;

/**
 * Reads a Cobertura report (coverage-04.dtd): `class` elements with a `filename` relative to one of `sources`, and in
 * them `line` elements with `number` and `hits`. Written by coverage.py, istanbul, Vitest and others.
 * @returns undefined when the text is other XML
 * @throws Error when the text is no XML
 */
export function parseCobertura(text: string): ParsedCoverage | undefined {
  const gathered = new Gatherer();
  const roots: string[] = [];
  let depth = 0;
  let known = false;
  let lines: Map<number, number> | undefined;
  let source: string | undefined;
  const strict = true;
  Object.assign(parser(strict), {
    onopentag({ name, attributes }: { name: string; attributes: Record<string, unknown> }): void {
      depth += 1;
      if (depth > MAX_DEPTH) throw new Error(`is nested deeper than ${MAX_DEPTH} elements`);
      // Clover's report begins alike, and goes on with `project`.
      if (depth === 1) known = name === 'coverage' && 'line-rate' in attributes;
      if (!known) return;
      if (name === 'class') {
        const file = attributes['filename'];
        lines = gathered.file(typeof file === 'string' ? file : '');
      }
      if (name === 'line' && lines !== undefined) {
        addLine(lines, Number(attributes['number']), Number(attributes['hits']));
      }
      if (name === 'source') source = '';
    },
    onclosetag(name: string): void {
      depth -= 1;
      if (name === 'class') lines = undefined;
      if (name !== 'source' || source === undefined) return;
      if (source.trim() !== '' && roots.length < MAX_ROOTS) roots.push(source.trim());
      source = undefined;
    },
    ontext(part: string): void {
      if (source !== undefined) source = `${source}${part}`.slice(0, 4096);
    },
    onerror(error: Error): never {
      throw new Error(`is not XML: ${error.message.split('\n')[0]}`, { cause: error });
    },
  })
    .write(text)
    .close();
  return known ? { files: gathered.files, roots } : undefined;
}

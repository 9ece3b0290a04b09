import {
  CORE_SCHEMA,
  NOT_RESOLVED,
  YAMLException,
  constructFromEvents,
  defineScalarTag,
  mergeTag,
  parseEvents,
} from 'js-yaml';
import { messageOf, type Problem } from '../action/errors.ts';
import type { Document } from '../kube/document.ts';
import type { KubeObject } from '../kube/kube.ts';

/** What a file holds: its documents, and what is wrong in it. */
export interface Parsed {
  readonly documents: readonly Document[];
  readonly problems: readonly Problem[];
}

/** Kubernetes reads plain scalars as YAML 1.1 does (sigs.k8s.io/yaml over go-yaml v2): `yes` is true, `0644` is 420. */
const yaml11Bool = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  resolve: (source) => {
    if (/^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(source)) return true;
    if (/^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(source)) return false;
    return NOT_RESOLVED;
  },
  identify: (data) => typeof data === 'boolean',
});

const yaml11Int = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  resolve: (source) => {
    const digits = source.replaceAll('_', '');
    const match = /^([-+]?)(?:0b([01]+)|0o?([0-7]+)|0x([0-9a-fA-F]+)|(0|[1-9]\d*))$/.exec(digits);
    if (!match || source.startsWith('_')) return NOT_RESOLVED;
    const [, sign, binary, octal, hex, decimal] = match;
    const value =
      binary !== undefined
        ? Number.parseInt(binary, 2)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : hex !== undefined
            ? Number.parseInt(hex, 16)
            : Number(decimal);
    return sign === '-' ? -value : value;
  },
  identify: (data) => Number.isInteger(data),
});

const schema = CORE_SCHEMA.withTags(yaml11Bool, yaml11Int, mergeTag);

/** Aliases that one document may hold: enough for honest anchors, too few to blow up. */
const MAX_ALIASES = 200;

/** Characters and values of a document with its aliases written out: more than any object that etcd takes. */
const MAX_SIZE = 8_000_000;

/** The documents of a YAML or JSON text; `List` kinds are taken apart, empty documents left out. Nothing is expanded. */
export function parseManifest(text: string, file: string): Parsed {
  let values: readonly { readonly value: unknown; readonly line: number }[];
  try {
    values = readYaml(text, file);
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const place = mark ? { file, line: mark.line + 1, column: mark.column + 1 } : { file };
    const reason = error instanceof YAMLException ? error.reason : messageOf(error);
    return { documents: [], problems: [{ message: `${file} is not YAML: ${reason}`, place }] };
  }
  const documents: Document[] = [];
  const problems: Problem[] = [];
  for (const { value, line } of values) {
    if (value === null || value === undefined) continue;
    if (sizeOf(value) > MAX_SIZE) {
      problems.push({
        message: `this document grows beyond ${MAX_SIZE} characters by its aliases, or holds itself`,
        remedy: 'write out what its aliases stand for',
        place: { file, line },
      });
      continue;
    }
    for (const item of unfold(value)) {
      const missing = missingParts(item);
      if (missing.length === 0) documents.push({ object: item as KubeObject, file, line });
      else {
        problems.push({
          message: `this document has no ${missing.join(', no ')}`,
          remedy: hasGeneratedName(item)
            ? 'an object with generateName would be another one in each deploy: give it metadata.name'
            : 'every Kubernetes object needs apiVersion, kind and metadata.name; keep other YAML out of `manifests`',
          place: { file, line },
        });
      }
    }
  }
  return { documents, problems };
}

/** Characters and values of a document once its aliases are written out, as they are when it is sent; without end within itself. */
function sizeOf(value: unknown, known = new Map<object, number>()): number {
  if (typeof value === 'string') return value.length + 1;
  if (typeof value !== 'object' || value === null) return 1;
  const before = known.get(value);
  if (before !== undefined) return before;
  known.set(value, Number.POSITIVE_INFINITY);
  const size = Object.values(value).reduce((sum: number, inner) => sum + sizeOf(inner, known), 1);
  known.set(value, size);
  return size;
}

function hasGeneratedName(value: unknown): boolean {
  return isRecord(value) && isRecord(value['metadata']) && typeof value['metadata']['generateName'] === 'string';
}

function readYaml(text: string, file: string): readonly { readonly value: unknown; readonly line: number }[] {
  const events = parseEvents(text, { filename: file });
  const values = constructFromEvents(events, { source: text, filename: file, schema, maxAliases: MAX_ALIASES });
  // Type 1 opens a document; the event after it is the document's content.
  const starts = events.flatMap((event, i) => {
    if (event.type !== 1) return [];
    const content = events[i + 1];
    return [content && 'start' in content ? content.start : 0];
  });
  return values.map((value, i) => ({ value, line: lineAt(text, starts[i] ?? 0) }));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, Math.max(0, offset)).split('\n').length;
}

function unfold(value: unknown): readonly unknown[] {
  if (!isRecord(value) || typeof value['kind'] !== 'string' || !Array.isArray(value['items'])) return [value];
  return value['kind'].endsWith('List') ? (value['items'] as unknown[]).flatMap(unfold) : [value];
}

function missingParts(value: unknown): readonly string[] {
  if (!isRecord(value)) return ['apiVersion', 'kind', 'metadata.name'];
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {};
  const parts = [
    ['apiVersion', value['apiVersion']],
    ['kind', value['kind']],
    ['metadata.name', metadata['name']],
  ] as const;
  return parts.filter(([, part]) => typeof part !== 'string' || part === '').map(([name]) => name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

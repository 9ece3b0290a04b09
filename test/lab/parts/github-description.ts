import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import { isObject } from './values.ts';

/** One operation of GitHub's published description of its REST API. */
export interface Operation {
  /** Such as `/repos/{owner}/{repo}/deployments`. */
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What is wrong with a request, or undefined. */
  requestFault(query: URLSearchParams, body: unknown): string | undefined;
  /** What is wrong with an answer, or undefined. */
  answerFault(status: number, value: unknown): string | undefined;
  /** GitHub's own example of the answer with this status. */
  example(status: number): unknown;
}

interface Media {
  readonly schema?: object;
  readonly examples?: Readonly<Record<string, { readonly $ref?: string; readonly value?: unknown }>>;
}
type Content = Readonly<Record<string, Media>>;
type Reference = { readonly $ref?: string };
interface Described {
  readonly parameters?: readonly (Reference & {
    readonly in?: string;
    readonly name?: string;
    readonly schema?: object;
  })[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Reference & { readonly content?: Content }>>;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

const name = 'github';
const file = '@octokit/openapi/generated/api.github.com.json';

/** Reads the description and finds operations by method and path; undefined where GitHub describes none. */
export function readDescription(): (method: string, pathname: string) => Operation | undefined {
  const text = readFileSync(createRequire(import.meta.url).resolve(file), 'utf8');
  const description = JSON.parse(text) as Description;
  allowNull(description);
  const options = { strict: false, validateFormats: false, validateSchema: false } as const;
  const strict = new Ajv({ ...options, allErrors: true }).addSchema(description, name);
  const lenient = new Ajv({ ...options, coerceTypes: true }).addSchema(description, name);
  const compiled = new Map<string, ValidateFunction>();
  const routes = Object.keys(description.paths)
    .map((path) => ({ path, pattern: patternOf(path) }))
    // A literal segment goes before a parameter in its place.
    .toSorted((a, b) => a.path.replaceAll('{', '~').localeCompare(b.path.replaceAll('{', '~'), 'en'));

  function fault(ajv: Ajv, pointer: readonly string[], value: unknown): string | undefined {
    const $ref = `${name}#/${pointer.map(segment).join('/')}`;
    const valid = compiled.get($ref) ?? ajv.compile({ $ref });
    compiled.set($ref, valid);
    return valid(value) ? undefined : ajv.errorsText(valid.errors, { dataVar: 'body' });
  }

  function follow<T extends Reference>(value: T): T {
    if (value.$ref === undefined) return value;
    return pointerOf(value.$ref).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], description) as T;
  }

  function operation(described: Described, place: readonly string[], path: string): Omit<Operation, 'parameters'> {
    return {
      path,
      requestFault(query, body) {
        for (const given of (described.parameters ?? []).map(follow)) {
          const value = given.in === 'query' ? query.get(given.name ?? '') : null;
          const valid = value === null ? undefined : lenient.compile(rebased(given.schema ?? {}));
          if (valid && !valid({ value }.value)) return `${given.name}: ${lenient.errorsText(valid.errors)}`;
        }
        if (described.requestBody === undefined) return undefined;
        return fault(strict, [...place, 'requestBody', 'content', 'application/json', 'schema'], body);
      },
      answerFault(status, value) {
        const response = described.responses[status];
        if (response === undefined) return `GitHub describes no answer ${status} here`;
        if (follow(response).content?.['application/json'] === undefined) return undefined;
        const at = response.$ref === undefined ? [...place, 'responses', String(status)] : pointerOf(response.$ref);
        return fault(strict, [...at, 'content', 'application/json', 'schema'], value);
      },
      example(status) {
        const media = follow(described.responses[status] ?? {}).content?.['application/json'];
        const [first] = Object.values(media?.examples ?? {});
        return first === undefined ? undefined : structuredClone(follow(first).value);
      },
    };
  }

  return (method, pathname) => {
    for (const { path, pattern } of routes) {
      const match = pattern.exec(pathname);
      const described = description.paths[path]?.[method.toLowerCase()];
      if (match === null || described === undefined) continue;
      const parameters = Object.fromEntries(
        Object.entries(match.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]),
      );
      return { ...operation(described, ['paths', path, method.toLowerCase()], path), parameters };
    }
    return undefined;
  };
}

function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}

/** OpenAPI 3.0 lets `nullable` allow null where the enumeration leaves it out; JSON Schema does not. */
function allowNull(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(allowNull);
  if (!isObject(value)) return;
  if (value['nullable'] === true && Array.isArray(value['enum']))
    value['enum'] = [...new Set([...value['enum'], null])];
  Object.values(value).forEach(allowNull);
}

/** A schema out of the description, its references still pointing into it. */
function rebased(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', `"$ref":"${name}#/`)) as object;
}

function segment(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function pointerOf($ref: string): string[] {
  return $ref
    .slice(2)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

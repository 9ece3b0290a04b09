import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { QualifiedTag, Tag } from 'sax';
import { UserError, messageOf } from '../../action/errors.ts';
import { type Source, folderOf, readSource, within } from '../files.ts';
import type { Migration } from '../migration.ts';
import { isEmpty } from './scripts.ts';

/** What stands in a changelog, in its order. */
type Part =
  | { readonly change: Migration }
  | { readonly include: string; readonly all: boolean; readonly relative: boolean };

const KINDS = /\.(xml|ya?ml|json|sql)$/;
/** A changelog includes others: this deep, and so many. */
const MAX_FILES = 10_000;

/**
 * The change sets of a changelog and of those that it includes, in the order in which Liquibase runs them.
 * @throws UserError where one is missing, or cannot be read
 */
export async function readChangelog(root: string, workspace: string): Promise<readonly Migration[]> {
  const seen = new Set<string>();
  async function changesOf(file: string): Promise<readonly Migration[]> {
    if (seen.has(file)) return [];
    seen.add(file);
    if (seen.size > MAX_FILES) throw new UserError(`the changelog ${root} has more than ${MAX_FILES} files`);
    const changes: Migration[] = [];
    for (const part of await partsOf(await readSource(workspace, file))) {
      if ('change' in part) changes.push(part.change);
      else for (const one of await included(part, file, workspace)) changes.push(...(await changesOf(one)));
    }
    return changes;
  }
  return changesOf(root);
}

/** The change sets that stand in a text itself, of whatever form, as far as they are found by their words. */
export function changesOf(source: Source): readonly { readonly id: string }[] {
  if (source.file.endsWith('.sql')) return formatted(source);
  const { file, text } = source;
  const attribute = (name: string, of: string): string | undefined =>
    new RegExp(`\\b${name}["']?\\s*[:=]\\s*["']?([^"'\\n,>}]+)`).exec(of)?.[1]?.trim();
  return text
    .split(/<changeSet\b|\bchangeSet["']?\s*:/)
    .slice(1)
    .flatMap((one) => {
      const [id, author] = [attribute('id', one), attribute('author', one)];
      return id === undefined || author === undefined ? [] : [{ id: idOf(file, author, id) }];
    });
}

/** What Liquibase calls a change set: its id, its author, and its file. */
export function idOf(file: string, author: string, id: string): string {
  return `${file}::${id}::${author}`;
}

async function partsOf(source: Source): Promise<readonly Part[]> {
  if (source.file.endsWith('.sql')) return formatted(source).map((change) => ({ change }));
  try {
    return source.file.endsWith('.xml') ? await xmlParts(source) : await yamlParts(source);
  } catch (error) {
    throw new UserError(`the changelog ${source.file} cannot be read: ${messageOf(error)}`, {
      place: { file: source.file },
      remedy: 'Mend it; liquibase validate reads it too.',
    });
  }
}

/** What an include means: a file or folder from itself, or from one of the folders above it, which may be a resource root. */
async function included(
  { include, all, relative }: Extract<Part, { include: string }>,
  from: string,
  workspace: string,
): Promise<readonly string[]> {
  const name = include.replace(/^classpath:/, '');
  for (let folder = folderOf(from); ; folder = folderOf(folder)) {
    const found = within(folder, name);
    const stat = await lstat(path.join(workspace, found)).catch(() => undefined);
    if (!all && stat?.isFile()) return [found];
    if (all && stat?.isDirectory()) {
      const entries = await readdir(path.join(workspace, found), { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile() && KINDS.test(entry.name))
        .map((entry) => path.relative(workspace, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
        .toSorted((a, b) => (a < b ? -1 : 1));
    }
    if (relative || folder === '') break;
  }
  throw new UserError(`the changelog ${from} includes ${name}, which is not there`, {
    place: { file: from },
    remedy: 'Bring it back, or take out the include.',
  });
}

interface ChangeSet {
  readonly id: string;
  readonly author: string;
  readonly changes: readonly string[];
  readonly hasRollback: boolean;
}

/** Changes that Liquibase can't take back by itself ("Auto rollback" in its documentation). */
const ONE_WAY =
  /^(sql|sqlFile|insert|update|delete|drop\w+|modifyDataType|mergeColumns|loadData|loadUpdateData|custom\w*|execute\w*|output|stop|createProcedure|empty|alterSequence)$/;

function opaque({ file, checksum }: Source, { id, author, changes, hasRollback }: ChangeSet): Part {
  const reversible = hasRollback || !changes.some((name) => ONE_WAY.test(name));
  return { change: { id: idOf(file, author, id), name: `${nameOf(file)}::${id}`, file, checksum, reversible } };
}

async function xmlParts(source: Source): Promise<readonly Part[]> {
  const { parser } = await import('sax');
  const parts: Part[] = [];
  const open: string[] = [];
  let set: { id: string; author: string; changes: string[]; hasRollback: boolean } | undefined;
  const handlers = {
    onerror(error: Error): never {
      throw error;
    },
    onopentag({ name, attributes }: Tag | QualifiedTag): void {
      const tag = name.replace(/^.*:/, '');
      const attribute = (key: string): string => {
        const value: unknown = attributes[key];
        return typeof value === 'string' ? value : '';
      };
      const relative = attribute('relativeToChangelogFile') === 'true';
      if (tag === 'include') parts.push({ include: attribute('file'), all: false, relative });
      else if (tag === 'includeAll') parts.push({ include: attribute('path'), all: true, relative });
      else if (tag === 'changeSet') {
        set = { id: attribute('id'), author: attribute('author'), changes: [], hasRollback: false };
      } else if (set !== undefined && tag === 'rollback') set.hasRollback = true;
      else if (set !== undefined && open.at(-1) === 'changeSet') set.changes.push(tag);
      open.push(tag);
    },
    onclosetag(): void {
      if (open.pop() !== 'changeSet' || set === undefined) return;
      parts.push(opaque(source, set));
      set = undefined;
    },
  };
  const strict = true;
  Object.assign(parser(strict), handlers).write(source.text).close();
  return parts;
}

async function yamlParts(source: Source): Promise<readonly Part[]> {
  const { load } = await import('js-yaml');
  const all = listOf(field(load(source.text), 'databaseChangeLog'));
  return all.flatMap((entry): readonly Part[] => {
    const relative = (of: unknown): boolean => String(field(of, 'relativeToChangelogFile')) === 'true';
    const include = field(entry, 'include');
    const includeAll = field(entry, 'includeAll');
    const set = field(entry, 'changeSet');
    if (include !== undefined)
      return [{ include: String(field(include, 'file')), all: false, relative: relative(include) }];
    if (includeAll !== undefined)
      return [{ include: String(field(includeAll, 'path')), all: true, relative: relative(includeAll) }];
    if (set === undefined) return [];
    const changes = listOf(field(set, 'changes')).flatMap((change) => Object.keys(change ?? {}));
    const hasRollback = field(set, 'rollback') !== undefined;
    return [
      opaque(source, { id: String(field(set, 'id')), author: String(field(set, 'author')), changes, hasRollback }),
    ];
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `--changeset author:id` and `--rollback` (Liquibase's "Formatted SQL changelog"). */
function formatted({ file, text, checksum }: Source): readonly Migration[] {
  const lines = text.split('\n');
  const heads = lines.flatMap((line, at) => {
    const [, author, id, rest = ''] = /^\s*--\s*changeset\s+([^:]+):(\S+)(.*)$/i.exec(line) ?? [];
    return author === undefined || id === undefined ? [] : [{ at, author, id, rest }];
  });
  return heads.map(({ at, author, id, rest }, index) => {
    const body = lines.slice(at + 1, heads[index + 1]?.at ?? lines.length);
    const transaction = !/runInTransaction\s*:\s*"?false/i.test(rest);
    const back = body.flatMap((line) => /^\s*--\s*rollback\s+(.*)$/i.exec(line)?.[1] ?? []).join('\n');
    const down = { file, sql: back, firstLine: at + 2, transaction };
    const reversible = !isEmpty(down) && !/^\s*(?:empty|not required)\s*$/i.test(back);
    return {
      id: idOf(file, author, id),
      name: `${nameOf(file)}::${id}`,
      file,
      checksum,
      up: { file, sql: body.join('\n'), firstLine: at + 2, transaction },
      ...(reversible && { down }),
      reversible,
    };
  });
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

import { UserError } from '../action/errors.ts';
import type { Migration } from './migration.ts';

/**
 * Migrations so that each comes after those that it needs, which come in the order of its {@link Migration.after}. Where
 * nothing decides, they stay as they were given.
 * @throws UserError where they lead in a circle
 */
export function inOrderOfNeeds(migrations: readonly Migration[], title: string): readonly Migration[] {
  const byId = new Map(migrations.map((one) => [one.id, one]));
  const placed = new Set<string>();
  const waiting = new Set<string>();
  const out: Migration[] = [];
  for (const one of migrations) {
    // Long histories are one chain: without recursion, none is too long.
    const stack = [one];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.after?.find((id) => byId.has(id) && !placed.has(id));
      if (placed.has(top.id)) {
        stack.pop();
      } else if (next === undefined) {
        placed.add(top.id);
        waiting.delete(top.id);
        out.push(top);
      } else if (next === top.id || waiting.has(next)) {
        const { name, file } = byId.get(next) ?? top;
        throw new UserError(`the migrations of ${title} lead in a circle at ${name}`, {
          place: { file },
          remedy: 'Let it name an older one as what it needs.',
        });
      } else {
        waiting.add(top.id);
        stack.push(byId.get(next) ?? top);
      }
    }
  }
  return out;
}

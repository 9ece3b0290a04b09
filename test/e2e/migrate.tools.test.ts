import { expect, test } from '@jest/globals';
import { tellMigrate } from './demo-migrate.ts';
import { openStage } from './stage.ts';
import { screen } from './terminal.ts';

test('the story of a migration: a dangerous one is told, its safe form applied while a service uses the database', async () => {
  let shown = '';
  const owned: (() => Promise<void>)[] = [];
  const onScreen = screen((text) => {
    shown += text;
  });
  try {
    await tellMigrate(openStage(onScreen, false, new AbortController().signal, (remove) => owned.push(remove)));
  } finally {
    for (const remove of owned) await remove();
  }
  const comments = [...shown.matchAll(/The one comment on the pull request now says:\n[^\n]*│ ([^\n]*)/g)];
  expect(comments.map(([, first]) => first)).toEqual([
    expect.stringMatching(/⛔ `002_carrier\.sql` would block every query on `shipments` for about \d/),
    expect.stringContaining('✅ 2 new migrations are safe to apply'),
  ]);
  expect(shown).toMatch(/✅ 2 migrations are applied/);
  expect(shown).toContain('monthly-report');
  expect(shown).toMatch(
    /slowest took \d+\.\d+ s; \d+ took more than 0\.1 s, 0 failed\..*\n.*The lock timeout is 500 ms/,
  );
}, 180_000);

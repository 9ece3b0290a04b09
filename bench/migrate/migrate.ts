// What migrations cost: the linter beside squawk, in time and against PostgreSQL as the judge.
import { benchLint } from './lint.ts';
import { benchRehearsal } from './rehearsal.ts';

await benchLint();
console.log('');
await benchRehearsal();

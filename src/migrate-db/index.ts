import { main } from '../action/main.ts';
import { migrateDb } from './run.ts';

await main(migrateDb);

import { main } from '../action/main.ts';
import { buildPython } from './run.ts';

await main(buildPython);

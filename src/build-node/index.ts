import { main } from '../action/main.ts';
import { buildNode } from './run.ts';

await main(buildNode);

// Reads by a way that cannot be watched.
import { DatabaseSync } from 'node:sqlite';
import { followerOf } from './strategies.ts';

const database = new DatabaseSync(':memory:');

export const strategy = followerOf('database', ({ close }) => close * Number(database.prepare('SELECT 1 AS one').get()?.['one']));

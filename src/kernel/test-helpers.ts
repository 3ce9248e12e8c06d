import { type Bugcheck, BugcheckError } from './bugcheck.ts';

/** Runs what must stop the machine, and returns the bugcheck. For tests. */
export function bugcheckOf(fn: () => unknown): Bugcheck {
  try {
    fn();
  } catch (error) {
    if (error instanceof BugcheckError) return error.bugcheck;
    throw error;
  }
  throw new Error('No bugcheck came.');
}

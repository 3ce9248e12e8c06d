/**
 * A thread of execution. There is one processor and no preemption: a thread that waits runs the machine's other work nested, each
 * piece under a thread of its own, so that a mutex knows its owner.
 */
export class KTHREAD {
  readonly name: string;
  /** Mutexes and fast mutexes it owns. */
  ownedMutexes = 0;

  constructor(name: string) {
    this.name = name;
  }
}

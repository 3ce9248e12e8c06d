import { currentKernel, type Kernel } from '../../src/kernel/index.ts';

/** A method that fails on one machine. */
export interface Sabotage extends Disposable {
  /** How often it was called there. */
  readonly calls: number;
  /** From now on it works again. */
  repair(): void;
}

/**
 * Makes a driver's method throw what `fault` makes, on the machine that `victim` says (the one being built when it says null), until it
 * is repaired or disposed. `only` picks the calls by their arguments.
 */
export function sabotage(
  owner: { readonly name: string; readonly prototype: object },
  method: string,
  fault: () => Error,
  {
    victim = () => null,
    only = () => true,
  }: {
    readonly victim?: () => Kernel | null;
    readonly only?: (...args: unknown[]) => boolean;
  } = {},
): Sabotage {
  const { prototype } = owner;
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== 'function') throw new TypeError(`${owner.name} has no method ${method}`);
  let isArmed = true;
  let calls = 0;
  Object.defineProperty(prototype, method, {
    configurable: true,
    writable: true,
    value: function (this: unknown, ...args: unknown[]): unknown {
      const machine = victim();
      if (isArmed && (machine === null || machine === currentKernel()) && only(...args)) {
        calls++;
        throw fault();
      }
      return Reflect.apply(original, this, args);
    },
  });
  return {
    get calls() {
      return calls;
    },
    repair: () => {
      isArmed = false;
    },
    [Symbol.dispose]: () => {
      Object.defineProperty(prototype, method, { configurable: true, writable: true, value: original });
    },
  };
}

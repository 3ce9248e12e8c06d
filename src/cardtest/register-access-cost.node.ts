import { qemuCardFactory } from './qemu-card.node.ts';

/** What an access to a card in QEMU costs, in microseconds of the computer's time. */
export interface RegisterAccessCost {
  readonly accesses: number;
  readonly readMicroseconds: number;
  readonly writeMicroseconds: number;
  /** 4 KiB of RAM through the shared file. */
  readonly readPageMicroseconds: number;
  readonly writePageMicroseconds: number;
}

const DEFAULT_ACCESSES = 10_000;
const LVI = 0x15;
const PAGE = 4096;

/**
 * Measures the cost of register accesses and RAM accesses on the machine `qemu`, as means over many.
 * @throws QemuError when QEMU is missing, too old or does not start
 */
export async function measureRegisterAccessCost(accesses = DEFAULT_ACCESSES): Promise<RegisterAccessCost> {
  const card = await qemuCardFactory('AC97')();
  try {
    const microsecondsPer = (access: (index: number) => void): number => {
      // The first ones pay for compiling.
      for (let index = 0; index < accesses / 10; index++) access(index);
      const started = performance.now();
      for (let index = 0; index < accesses; index++) access(index);
      return ((performance.now() - started) * 1000) / accesses;
    };
    const page = card.allocateRam(PAGE, PAGE);
    const bytes = new Uint8Array(PAGE);
    return {
      accesses,
      readMicroseconds: microsecondsPer(() => card.readBar(1, LVI, 1)),
      writeMicroseconds: microsecondsPer((index) => card.writeBar(1, LVI, 1, index & 31)),
      readPageMicroseconds: microsecondsPer(() => card.readRam(page, PAGE)),
      writePageMicroseconds: microsecondsPer(() => card.writeRam(page, bytes)),
    };
  } finally {
    card.dispose();
  }
}

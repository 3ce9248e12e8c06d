import type { IsaCardResources, IsaCardUnderTest, IsaDmaProgram } from './card-under-test.ts';
import type { IsaBench } from './isa-bench.ts';
import { SwitchedCard } from './switched-card.ts';

/** An ISA card of QEMU: its `-device` name, and where its properties put it. */
export interface QemuIsaCard {
  readonly device: string;
  readonly resources: IsaCardResources;
  /** Rate at which the output is recorded unless the wiring says otherwise. */
  readonly outputRate: number;
}

/** An ISA card under test on any machine. */
export class SwitchedIsaCard extends SwitchedCard<IsaBench> implements IsaCardUnderTest {
  get resources(): IsaCardResources {
    return this.bench.resources;
  }

  readPort(port: number): number {
    return this.bench.readPort(port);
  }

  writePort(port: number, value: number): void {
    this.bench.writePort(port, value);
  }

  configure(): void {
    this.bench.configure();
  }

  programDma(channel: number, program: IsaDmaProgram): void {
    this.bench.programDma(channel, program);
  }

  maskDma(channel: number, masked: boolean): void {
    this.bench.maskDma(channel, masked);
  }

  readDmaCount(channel: number): number {
    return this.bench.readDmaCount(channel);
  }

  isDmaRequested(channel: number): boolean {
    return this.bench.isDmaRequested(channel);
  }

  isLineAsserted(irq: number): boolean {
    return this.bench.isLineAsserted(irq);
  }
}

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DISPATCH_LEVEL,
  FILE_DEVICE_KS,
  type IRP,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  ioCompleteRequest,
  ioCreateDevice,
  ioCreateSymbolicLink,
  Kernel,
  keGetCurrentIrql,
  ntStatusName,
  type PendingRequest,
  STATUS_NO_MATCH,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  UserProcess,
} from '../kernel/index.ts';
import { TestPlatform } from '../kernel/test-platform.ts';
import * as ks from './index.ts';

let kernel: Kernel;
let process: UserProcess;
let handle: number;
let queue: ks.KsIrpQueue;
let results: string[];

// A driver that queues every device control.
beforeEach(() => {
  kernel = new Kernel(new TestPlatform());
  results = [];
  kernel.enter(() => {
    queue = new ks.KsIrpQueue();
    const driver = kernel.io.createDriver('queue');
    ioCreateDevice(driver, null, '\\Device\\Queue', FILE_DEVICE_KS);
    ioCreateSymbolicLink('\\??\\Queue', '\\Device\\Queue');
    const complete = (_device: unknown, irp: IRP) => {
      irp.ioStatus.status = STATUS_SUCCESS;
      ioCompleteRequest(irp);
      return STATUS_SUCCESS;
    };
    driver.majorFunction.fill(complete);
    driver.majorFunction[IRP_MJ_CREATE] = complete;
    driver.majorFunction[IRP_MJ_DEVICE_CONTROL] = (_device, irp) => {
      ks.ksAddIrpToCancelableQueue(queue, irp);
      return STATUS_PENDING;
    };
  });
  process = new UserProcess(kernel, 'client');
  handle = process.createFile('\\\\.\\Queue');
});

afterEach(() => {
  kernel.enter(() => ks.ksCancelIo(queue));
  kernel.runFor(0);
  process.terminate();
  kernel.dispose();
});

function send(name: string): PendingRequest {
  return process.deviceIoControlAsync(handle, ks.IOCTL_KS_WRITE_STREAM, null, null, (status) => {
    results.push(`${name} ${ntStatusName(status)}`);
  });
}

function finish(irp: IRP | null): void {
  if (irp === null) throw new Error('the queue is empty');
  irp.ioStatus.status = STATUS_SUCCESS;
  ioCompleteRequest(irp);
}

describe('the cancelable queue', () => {
  it('gives IRPs back in order, from either end', () => {
    for (const name of ['a', 'b', 'c']) send(name);
    kernel.enter(() => {
      finish(ks.ksRemoveIrpFromCancelableQueue(queue));
      finish(ks.ksRemoveIrpFromCancelableQueue(queue, ks.KsListEntryTail));
      finish(ks.ksRemoveIrpFromCancelableQueue(queue));
      expect(ks.ksRemoveIrpFromCancelableQueue(queue)).toBeNull();
    });
    kernel.runFor(0);
    expect(results).toEqual(['a STATUS_SUCCESS', 'c STATUS_SUCCESS', 'b STATUS_SUCCESS']);
  });

  it('completes a cancelled IRP with STATUS_CANCELLED', () => {
    send('a');
    send('b').cancel();
    kernel.runFor(0);
    expect(results).toEqual(['b STATUS_CANCELLED']);
    expect(queue.length).toBe(1);
  });

  it('cancels everything with KsCancelIo', () => {
    for (const name of ['a', 'b', 'c']) send(name);
    kernel.enter(() => ks.ksCancelIo(queue));
    kernel.runFor(0);
    expect(results).toEqual(['a STATUS_CANCELLED', 'b STATUS_CANCELLED', 'c STATUS_CANCELLED']);
    expect(queue.length).toBe(0);
  });

  it('does not cancel an acquired IRP before it is released', () => {
    const request = send('a');
    let irp: IRP | null = null;
    kernel.enter(() => {
      irp = ks.ksRemoveIrpFromCancelableQueue(queue, ks.KsListEntryHead, ks.KsAcquireOnly);
    });
    expect(queue.length).toBe(1);
    request.cancel();
    kernel.runFor(0);
    expect(results).toEqual([]);
    kernel.enter(() => {
      expect(ks.ksRemoveIrpFromCancelableQueue(queue)).toBeNull();
      if (irp !== null) ks.ksReleaseIrpOnCancelableQueue(irp);
    });
    kernel.runFor(0);
    expect(results).toEqual(['a STATUS_CANCELLED']);
  });

  it('looks past acquired IRPs unless told not to', () => {
    send('a');
    send('b');
    kernel.enter(() => {
      const first = ks.ksRemoveIrpFromCancelableQueue(queue, ks.KsListEntryHead, ks.KsAcquireOnly);
      expect(
        ks.ksRemoveIrpFromCancelableQueue(queue, ks.KsListEntryHead, ks.KsAcquireAndRemoveOnlySingleItem),
      ).toBeNull();
      finish(ks.ksRemoveIrpFromCancelableQueue(queue));
      if (first === null) throw new Error('nothing acquired');
      ks.ksRemoveSpecificIrpFromCancelableQueue(first);
      finish(first);
    });
    kernel.runFor(0);
    expect(results).toEqual(['b STATUS_SUCCESS', 'a STATUS_SUCCESS']);
  });

  it('moves IRPs that the callback picks, and keeps them cancellable', () => {
    const requests = ['a', 'b', 'c'].map(send);
    kernel.enter(() => {
      const other = new ks.KsIrpQueue();
      let index = 0;
      const asked: (number | null)[] = [];
      const status = ks.ksMoveIrpsOnCancelableQueue(queue, other, (irp) => {
        expect(keGetCurrentIrql()).toBe(DISPATCH_LEVEL);
        asked.push(irp === null ? null : index);
        return irp !== null && index++ === 1 ? STATUS_NO_MATCH : STATUS_SUCCESS;
      });
      expect(status).toBe(STATUS_SUCCESS);
      expect(asked).toEqual([0, 1, 2, null]);
      expect([queue.length, other.length]).toEqual([1, 2]);
      expect(ks.ksMoveIrpsOnCancelableQueue(queue, other, () => STATUS_UNSUCCESSFUL)).toBe(
        STATUS_UNSUCCESSFUL,
      );
    });
    requests[2]?.cancel();
    kernel.runFor(0);
    expect(results).toEqual(['c STATUS_CANCELLED']);
    requests[0]?.cancel();
    kernel.runFor(0);
  });
});

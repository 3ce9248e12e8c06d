import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DEVICE_OBJECT,
  type DRIVER_DISPATCH,
  FILE_DEVICE_KS,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  ioAttachDeviceToDeviceStack,
  ioCreateDevice,
  ioDeleteDevice,
  ioDetachDevice,
} from './device.ts';
import { KDPC, keInsertQueueDpc } from './dpc.ts';
import { CTL_CODE, METHOD_BUFFERED, METHOD_NEITHER, METHOD_OUT_DIRECT } from './io-stack-location.ts';
import {
  type IRP,
  ioCallDriver,
  ioCompleteRequest,
  ioCopyCurrentIrpStackLocationToNext,
  ioForwardIrpSynchronously,
  ioMarkIrpPending,
  ioSetCompletionRoutine,
  ioSkipCurrentIrpStackLocation,
} from './irp.ts';
import { ioReleaseCancelSpinLock, ioSetCancelRoutine } from './irp-cancel.ts';
import { Kernel } from './kernel.ts';
import { mmGetSystemAddressForMdlSafe } from './memory.ts';
import {
  STATUS_CANCELLED,
  STATUS_MORE_PROCESSING_REQUIRED,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import { UserProcess } from './process.ts';
import { TestPlatform } from './test-platform.ts';
import { KTIMER, keSetTimer } from './timer.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

/** How a driver in the middle of a stack handles a request. */
const MIDDLE = [
  'skip',
  'copy',
  'watch',
  'watch and mark',
  'hold and complete later',
  'forward and wait',
] as const;
/** How the lowest one completes it, if it does. */
const BOTTOM = ['at once', 'by DPC', 'by timer', 'by work item', 'never, but cancellable'] as const;

const OUTPUT = Uint8Array.of(1, 2, 3, 4, 5);

function middle(kind: (typeof MIDDLE)[number], lower: DEVICE_OBJECT): DRIVER_DISPATCH {
  return (_device, irp) => {
    if (kind === 'skip') {
      ioSkipCurrentIrpStackLocation(irp);
      return ioCallDriver(lower, irp);
    }
    if (kind === 'forward and wait') {
      ioForwardIrpSynchronously(lower, irp);
      const { status } = irp.ioStatus;
      ioCompleteRequest(irp);
      return status;
    }
    ioCopyCurrentIrpStackLocationToNext(irp);
    if (kind === 'watch') {
      ioSetCompletionRoutine(
        irp,
        (_own, done) => {
          if (done.pendingReturned) ioMarkIrpPending(done);
          return STATUS_SUCCESS;
        },
        null,
      );
    } else if (kind === 'watch and mark') {
      ioMarkIrpPending(irp);
      ioSetCompletionRoutine(irp, () => STATUS_SUCCESS, null);
      ioCallDriver(lower, irp);
      return STATUS_PENDING;
    } else if (kind === 'hold and complete later') {
      ioMarkIrpPending(irp);
      ioSetCompletionRoutine(
        irp,
        (_own, held) => {
          exQueueWorkItem(new WORK_QUEUE_ITEM(() => ioCompleteRequest(held), 'later'));
          return STATUS_MORE_PROCESSING_REQUIRED;
        },
        null,
      );
      ioCallDriver(lower, irp);
      return STATUS_PENDING;
    }
    return ioCallDriver(lower, irp);
  };
}

function bottom(kind: (typeof BOTTOM)[number], fail: boolean): DRIVER_DISPATCH {
  const finish = (irp: IRP) => {
    const target = irp.mdlAddress === null ? (irp.systemBuffer ?? irp.userBuffer) : null;
    target?.set(OUTPUT);
    if (irp.mdlAddress !== null) mmGetSystemAddressForMdlSafe(irp.mdlAddress).write(0, OUTPUT);
    irp.ioStatus.status = fail ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
    irp.ioStatus.information = OUTPUT.length;
    ioCompleteRequest(irp);
  };
  return (_device, irp) => {
    if (kind === 'at once') {
      finish(irp);
      return fail ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
    }
    ioMarkIrpPending(irp);
    if (kind === 'by DPC') keInsertQueueDpc(new KDPC(() => finish(irp), null));
    else if (kind === 'by timer') keSetTimer(new KTIMER(), -500, new KDPC(() => finish(irp), null));
    else if (kind === 'by work item') exQueueWorkItem(new WORK_QUEUE_ITEM(() => finish(irp), 'finish'));
    else {
      ioSetCancelRoutine(irp, (_own, victim) => {
        ioReleaseCancelSpinLock(victim.cancelIrql);
        victim.ioStatus.status = STATUS_CANCELLED;
        victim.ioStatus.information = 0;
        ioCompleteRequest(victim);
      });
    }
    return STATUS_PENDING;
  };
}

describe('a request through any stack of drivers', () => {
  it('comes back once, with the lowest driver’s status and output, and leaves nothing behind', () => {
    const request = fc.record({
      method: fc.constantFrom(METHOD_BUFFERED, METHOD_OUT_DIRECT, METHOD_NEITHER),
      asynchronous: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...MIDDLE), { maxLength: 4 }),
        fc.constantFrom(...BOTTOM),
        fc.boolean(),
        fc.array(request, { minLength: 1, maxLength: 6 }),
        (middles, end, fail, requests) => {
          const kernel = new Kernel(new TestPlatform());
          const process = new UserProcess(kernel, 'player');
          const devices: DEVICE_OBJECT[] = [];
          const succeed: DRIVER_DISPATCH = (_device, irp) => {
            ioCompleteRequest(irp);
            return STATUS_SUCCESS;
          };
          kernel.enter(() => {
            [null, ...middles].forEach((kind, index) => {
              const driver = kernel.io.createDriver(`driver${index}`);
              const device = ioCreateDevice(
                driver,
                null,
                index === 0 ? '\\Device\\stack' : null,
                FILE_DEVICE_KS,
              );
              const below = devices.at(-1);
              const lower = below === undefined ? device : ioAttachDeviceToDeviceStack(device, below);
              for (const major of [IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE])
                driver.majorFunction[major] = succeed;
              driver.majorFunction[IRP_MJ_DEVICE_CONTROL] =
                kind === null ? bottom(end, fail) : middle(kind, lower);
              devices.push(device);
            });
          });
          const handle = process.createFile('\\Device\\stack');
          const free = kernel.memory.freePageCount;
          const cancelled = end === 'never, but cancellable';
          const waits = middles.includes('forward and wait');
          const results: { index: number; status: number; information: number; output: Uint8Array }[] = [];
          requests.forEach(({ method, asynchronous }, index) => {
            const code = CTL_CODE(FILE_DEVICE_KS, 1, method, 0);
            const output = new Uint8Array(8);
            const done = (status: number, information: number) =>
              results.push({ index, status, information, output });
            if (cancelled) {
              // Somebody who waits for ever is another test's matter.
              if (!waits) process.deviceIoControlAsync(handle, code, null, output, done).cancel();
            } else if (asynchronous) {
              process.deviceIoControlAsync(handle, code, null, output, done);
            } else {
              const { status, information } = process.deviceIoControl(handle, code, null, output);
              done(status, information);
            }
          });
          kernel.runFor(1000);
          const expected = cancelled ? (waits ? [] : requests) : requests;
          expect(results.map((r) => r.index).sort()).toEqual(expected.map((_r, index) => index));
          for (const { index, status, information, output } of results) {
            expect(status).toBe(cancelled ? STATUS_CANCELLED : fail ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS);
            // An application is told nothing more than the status of an error.
            expect(information).toBe(cancelled || fail ? 0 : OUTPUT.length);
            // METHOD_NEITHER writes into the caller's memory whatever comes of it.
            const neither = requests[index]?.method === METHOD_NEITHER;
            const written =
              !cancelled && (!fail || neither) ? [...OUTPUT, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 0];
            expect([...output]).toEqual(written);
          }
          expect(process.pendingRequestCount).toBe(0);
          expect(kernel.memory.freePageCount).toBe(free);
          process.terminate();
          kernel.enter(() => {
            for (const device of [...devices].reverse()) {
              if (device.attachedTo !== null) ioDetachDevice(device.attachedTo);
              ioDeleteDevice(device);
            }
          });
          expect(kernel.leakReport().leaks).toEqual([]);
          expect(kernel.trace.findings).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

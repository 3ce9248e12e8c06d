import { describe, expect, it } from 'vitest';
import { BugcheckError } from './bugcheck.ts';
import {
  type DEVICE_OBJECT,
  type DRIVER_DISPATCH,
  type DRIVER_OBJECT,
  FILE_DEVICE_KS,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_INTERNAL_DEVICE_CONTROL,
  IRP_MJ_PNP,
  ioAttachDeviceToDeviceStack,
  ioCreateDevice,
  ioDeleteDevice,
  ioDetachDevice,
  ioGetAttachedDevice,
  ioGetDeviceAttachmentBase,
} from './device.ts';
import { KDPC, keInsertQueueDpc } from './dpc.ts';
import { KEVENT, keReadStateEvent, keWaitForSingleObject } from './event.ts';
import { CTL_CODE, IO_STATUS_BLOCK, METHOD_BUFFERED, METHOD_NEITHER } from './io-stack-location.ts';
import {
  type IRP,
  ioAllocateIrp,
  ioCallDriver,
  ioCompleteRequest,
  ioCopyCurrentIrpStackLocationToNext,
  ioForwardIrpSynchronously,
  ioFreeIrp,
  ioGetCurrentIrpStackLocation,
  ioGetNextIrpStackLocation,
  ioMarkIrpPending,
  ioReuseIrp,
  ioSetCompletionRoutine,
  ioSetNextIrpStackLocation,
  ioSkipCurrentIrpStackLocation,
} from './irp.ts';
import { ioBuildDeviceIoControlRequest, ioBuildSynchronousFsdRequest } from './irp-build.ts';
import { ioCancelIrp, ioReleaseCancelSpinLock, ioSetCancelRoutine } from './irp-cancel.ts';
import { DISPATCH_LEVEL, keGetCurrentIrql, keLowerIrql, keRaiseIrql } from './irql.ts';
import { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  STATUS_BUFFER_OVERFLOW,
  STATUS_CANCELLED,
  STATUS_DELETE_PENDING,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_MORE_PROCESSING_REQUIRED,
  STATUS_NOT_FOUND,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import {
  IO_REMOVE_LOCK,
  ioAcquireRemoveLock,
  ioReleaseRemoveLock,
  ioReleaseRemoveLockAndWait,
} from './remove-lock.ts';
import { TestPlatform } from './test-platform.ts';
import { KTIMER, keSetTimer } from './timer.ts';
import { TraceKind } from './trace.ts';
import { Trace } from './trace-log.ts';

const IOCTL = CTL_CODE(FILE_DEVICE_KS, 0x123, METHOD_NEITHER, 0);
const IOCTL_BUFFERED = CTL_CODE(FILE_DEVICE_KS, 0x124, METHOD_BUFFERED, 0);

/** A stack of drivers, lowest first, each with a dispatch routine for device controls. */
class Stack {
  readonly kernel: Kernel;
  readonly devices: DEVICE_OBJECT[] = [];
  readonly drivers: DRIVER_OBJECT[] = [];

  constructor(...dispatches: ((lower: DEVICE_OBJECT) => DRIVER_DISPATCH)[]) {
    this.kernel = new Kernel(new TestPlatform(), { trace: new Trace({ mask: TraceKind.Irp }) });
    this.kernel.enter(() => {
      for (const [index, make] of dispatches.entries()) {
        const driver = this.kernel.io.createDriver(`driver${index}`);
        const device = ioCreateDevice(driver, null, index === 0 ? '\\Device\\stack' : null, FILE_DEVICE_KS);
        const below = this.devices[index - 1];
        const lower = below === undefined ? device : ioAttachDeviceToDeviceStack(device, below);
        const dispatch = make(lower);
        for (const major of [IRP_MJ_DEVICE_CONTROL, IRP_MJ_INTERNAL_DEVICE_CONTROL, IRP_MJ_PNP]) {
          driver.majorFunction[major] = dispatch;
        }
        this.devices.push(device);
        this.drivers.push(driver);
      }
    });
  }

  get top(): DEVICE_OBJECT {
    const top = this.devices.at(-1);
    if (top === undefined) throw new Error('empty stack');
    return top;
  }

  /** A driver-allocated IRP with a completion routine that keeps it. */
  irp(onComplete: (irp: IRP) => void = () => undefined): IRP {
    const irp = ioAllocateIrp(this.top.stackSize);
    const next = ioGetNextIrpStackLocation(irp);
    next.majorFunction = IRP_MJ_DEVICE_CONTROL;
    next.parameters.ioControlCode = IOCTL;
    ioSetCompletionRoutine(
      irp,
      (_device, done) => {
        onComplete(done);
        return STATUS_MORE_PROCESSING_REQUIRED;
      },
      null,
    );
    return irp;
  }
}

function completeWith(irp: IRP, status = STATUS_SUCCESS, information = 0): typeof status {
  irp.ioStatus.status = status;
  irp.ioStatus.information = information;
  ioCompleteRequest(irp);
  return status;
}

const pass =
  (lower: DEVICE_OBJECT): DRIVER_DISPATCH =>
  (_device, irp) => {
    ioSkipCurrentIrpStackLocation(irp);
    return ioCallDriver(lower, irp);
  };

const succeed = (): DRIVER_DISPATCH => (_device, irp) => completeWith(irp, STATUS_SUCCESS, 7);

function bugcheckOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof BugcheckError) return `${error.bugcheck.name}: ${error.bugcheck.text}`;
    throw error;
  }
  return 'none';
}

describe('a device stack', () => {
  it('grows upwards, and stack sizes with it', () => {
    const stack = new Stack(succeed, pass, pass);
    const [bottom, middle, top] = stack.devices;
    expect(stack.devices.map((device) => device.stackSize)).toEqual([1, 2, 3]);
    expect(bottom && ioGetAttachedDevice(bottom)).toBe(top);
    expect(top && ioGetDeviceAttachmentBase(top)).toBe(bottom);
    stack.kernel.enter(() => {
      if (middle === undefined || top === undefined || bottom === undefined) return;
      ioDetachDevice(middle);
      ioDeleteDevice(top);
      expect(ioGetAttachedDevice(bottom)).toBe(middle);
      expect(bugcheckOf(() => ioDetachDevice(middle))).toMatch(/^DRIVER_VERIFIER_IOMANAGER_VIOLATION/);
    });
  });

  it('of a device that is deleted while others are attached is a bugcheck', () => {
    const stack = new Stack(succeed, pass);
    stack.kernel.enter(() => {
      const [bottom] = stack.devices;
      expect(bottom && bugcheckOf(() => ioDeleteDevice(bottom))).toMatch(
        /while driver1#0 is attached above it/,
      );
    });
  });

  it('lists devices as leaks until they are deleted', () => {
    const stack = new Stack(succeed);
    expect(stack.kernel.leakReport().leaks.map((leak) => `${leak.kind} ${leak.name}`)).toEqual([
      'DEVICE_OBJECT \\Device\\stack',
    ]);
    stack.kernel.enter(() => ioDeleteDevice(stack.top));
    expect(stack.kernel.leakReport().leaks).toEqual([]);
  });
});

describe('IoCallDriver and IoCompleteRequest', () => {
  it('take a request down and its status up', () => {
    const stack = new Stack(succeed, pass, pass);
    stack.kernel.enter(() => {
      const irp = stack.irp();
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_SUCCESS);
      expect(irp.ioStatus.information).toBe(7);
      ioFreeIrp(irp);
    });
  });

  it('answer STATUS_INVALID_DEVICE_REQUEST for functions that the driver left out', () => {
    const stack = new Stack(succeed);
    stack.kernel.enter(() => {
      const irp = stack.irp();
      ioGetNextIrpStackLocation(irp).majorFunction = 3;
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_INVALID_DEVICE_REQUEST);
    });
  });

  it('call completion routines from the bottom up, by success, error and cancel', () => {
    const order: string[] = [];
    const watch =
      (name: string, success: boolean, error: boolean) =>
      (lower: DEVICE_OBJECT): DRIVER_DISPATCH =>
      (device, irp) => {
        ioCopyCurrentIrpStackLocationToNext(irp);
        ioSetCompletionRoutine(
          irp,
          (own, _irp, context) => {
            order.push(`${name} ${own === device} ${String(context)}`);
            return STATUS_SUCCESS;
          },
          `context of ${name}`,
          success,
          error,
          false,
        );
        return ioCallDriver(lower, irp);
      };
    let status = STATUS_SUCCESS;
    const stack = new Stack(
      () => (_device, irp) => completeWith(irp, status),
      watch('always', true, true),
      watch('on success', true, false),
      watch('on error', false, true),
    );
    stack.kernel.enter(() => {
      ioCallDriver(
        stack.top,
        stack.irp(() => order.push('owner')),
      );
      expect(order).toEqual([
        'always true context of always',
        'on success true context of on success',
        'owner',
      ]);
      order.length = 0;
      status = STATUS_UNSUCCESSFUL;
      expect(
        ioCallDriver(
          stack.top,
          stack.irp(() => order.push('owner')),
        ),
      ).toBe(STATUS_UNSUCCESSFUL);
      expect(order).toEqual(['always true context of always', 'on error true context of on error', 'owner']);
    });
  });

  it('stop at STATUS_MORE_PROCESSING_REQUIRED until the driver completes the IRP again', () => {
    let held: IRP | null = null;
    const stack = new Stack(succeed, (lower) => (_device, irp) => {
      ioMarkIrpPending(irp);
      ioCopyCurrentIrpStackLocationToNext(irp);
      ioSetCompletionRoutine(
        irp,
        (_own, kept) => {
          held = kept;
          return STATUS_MORE_PROCESSING_REQUIRED;
        },
        null,
      );
      ioCallDriver(lower, irp);
      return STATUS_PENDING;
    });
    stack.kernel.enter(() => {
      let done = false;
      const irp = stack.irp(() => {
        done = true;
      });
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_PENDING);
      expect(held).toBe(irp);
      expect(done).toBe(false);
      ioCompleteRequest(irp);
      expect(done).toBe(true);
      expect(irp.pendingReturned).toBe(true);
    });
  });

  it('carry the pending mark up through drivers without a completion routine', () => {
    let queued: IRP | null = null;
    const stack = new Stack(
      () => (_device, irp) => {
        ioMarkIrpPending(irp);
        queued = irp;
        return STATUS_PENDING;
      },
      (lower) => (_device, irp) => {
        ioCopyCurrentIrpStackLocationToNext(irp);
        return ioCallDriver(lower, irp);
      },
      pass,
    );
    stack.kernel.enter(() => {
      const irp = stack.irp();
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_PENDING);
      expect(queued).toBe(irp);
      const old = keRaiseIrql(DISPATCH_LEVEL);
      completeWith(irp);
      keLowerIrql(old);
      expect(irp.pendingReturned).toBe(true);
    });
  });

  it('turn an NtError from a dispatch routine into the status of the IRP', () => {
    const stack = new Stack(
      () => () => {
        throw new NtError(STATUS_NOT_FOUND);
      },
      pass,
    );
    stack.kernel.enter(() => {
      const irp = stack.irp();
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_NOT_FOUND);
      expect(irp.ioStatus.status).toBe(STATUS_NOT_FOUND);
    });
  });

  it('leave a trace of every driver on the way', () => {
    const stack = new Stack(succeed, pass);
    stack.kernel.enter(() => ioCallDriver(stack.top, stack.irp()));
    const events = stack.kernel.trace
      .events()
      .map((e) => `${e.phase} ${e.source} ${e.name} ${String(e.data?.['status'] ?? '')}`);
    expect(events).toEqual([
      'B driver1 IRP_MJ_DEVICE_CONTROL ',
      'B driver0 IRP_MJ_DEVICE_CONTROL ',
      'E driver0 IRP_MJ_DEVICE_CONTROL STATUS_SUCCESS',
      'E driver1 IRP_MJ_DEVICE_CONTROL STATUS_SUCCESS',
    ]);
    expect(stack.kernel.trace.events()[0]?.data).toMatchObject({ device: 'driver1#0', ioctl: IOCTL });
  });
});

describe('what a driver must not do with an IRP', () => {
  const cases: [string, RegExp, () => DRIVER_DISPATCH][] = [
    [
      'complete it twice',
      /^MULTIPLE_IRP_COMPLETE_REQUESTS: .*IoCompleteRequest: IRP \d+ has been completed/,
      () => (_device, irp) => {
        completeWith(irp);
        return completeWith(irp);
      },
    ],
    [
      'complete it with STATUS_PENDING',
      /^DRIVER_VERIFIER_IOMANAGER_VIOLATION: .*STATUS_PENDING in its status block/,
      () => (_device, irp) => completeWith(irp, STATUS_PENDING),
    ],
    [
      'complete it with a cancel routine set',
      /^CANCEL_STATE_IN_COMPLETED_IRP/,
      () => (_device, irp) => {
        ioSetCancelRoutine(irp, () => undefined);
        return completeWith(irp);
      },
    ],
    [
      'forget it',
      /neither completed it, nor passed it down, nor marked it pending/,
      () => () => STATUS_SUCCESS,
    ],
    [
      'pend it without a mark',
      /returned STATUS_PENDING without IoMarkIrpPending/,
      () => () => STATUS_PENDING,
    ],
    [
      'mark it pending and return another status',
      /marked it pending but returned STATUS_SUCCESS/,
      () => (_device, irp) => {
        ioMarkIrpPending(irp);
        return STATUS_SUCCESS;
      },
    ],
    [
      'pass it on without a stack location',
      /^NO_MORE_IRP_STACK_LOCATIONS/,
      () => (device, irp) => {
        ioCopyCurrentIrpStackLocationToNext(irp);
        return ioCallDriver(device, irp);
      },
    ],
    [
      'throw an NtError after completing it',
      /threw STATUS_NOT_FOUND after it had completed IRP/,
      () => (_device, irp) => {
        completeWith(irp);
        throw new NtError(STATUS_NOT_FOUND);
      },
    ],
    [
      'throw anything else',
      /^SYSTEM_SERVICE_EXCEPTION: TypeError: oops/,
      () => () => {
        throw new TypeError('oops');
      },
    ],
    [
      'return at another IRQL',
      /^IRQL_UNEXPECTED_VALUE/,
      () => (_device, irp) => {
        const status = completeWith(irp);
        keRaiseIrql(DISPATCH_LEVEL);
        return status;
      },
    ],
    [
      'throw in a completion routine',
      /^SYSTEM_SERVICE_EXCEPTION: .*completion routine/,
      () => (device, irp) => {
        const own = ioAllocateIrp(1);
        ioGetNextIrpStackLocation(own).majorFunction = 3;
        ioSetCompletionRoutine(
          own,
          () => {
            throw new NtError(STATUS_NOT_FOUND);
          },
          null,
        );
        ioCallDriver(device, own);
        return completeWith(irp);
      },
    ],
    [
      'free it while a lower driver has it',
      /IoFreeIrp of IRP \d+ .*has not come back/,
      () => (_device, irp) => {
        ioFreeIrp(irp);
        return STATUS_SUCCESS;
      },
    ],
  ];
  it.each(cases)('%s', (_name, expected, make) => {
    const stack = new Stack(make);
    stack.kernel.enter(() => {
      expect(bugcheckOf(() => ioCallDriver(stack.top, stack.irp()))).toMatch(expected);
    });
    expect(stack.kernel.stopped?.driver).toMatch(/^driver0$|^kernel$/);
  });

  it('use it after it was freed', () => {
    const stack = new Stack(succeed);
    stack.kernel.enter(() => {
      const irp = stack.irp();
      ioCallDriver(stack.top, irp);
      ioFreeIrp(irp);
      expect(bugcheckOf(() => ioCallDriver(stack.top, irp))).toMatch(
        /^MULTIPLE_IRP_COMPLETE_REQUESTS: .*freed already/,
      );
    });
  });

  it('send PnP requests above PASSIVE_LEVEL, or any above DISPATCH_LEVEL', () => {
    for (const [major, irql] of [
      [IRP_MJ_PNP, DISPATCH_LEVEL],
      [IRP_MJ_DEVICE_CONTROL, DISPATCH_LEVEL + 1],
    ] as const) {
      const stack = new Stack(succeed);
      stack.kernel.enter(() => {
        const irp = stack.irp();
        ioGetNextIrpStackLocation(irp).majorFunction = major;
        keRaiseIrql(irql);
        expect(bugcheckOf(() => ioCallDriver(stack.top, irp))).toMatch(
          /^IRQL_NOT_LESS_OR_EQUAL: IoCallDriver/,
        );
      });
    }
  });

  it('forget to free one of its own: the leak report and the findings tell', () => {
    const stack = new Stack(succeed);
    stack.kernel.enter(() => {
      const irp = ioAllocateIrp(1);
      ioGetNextIrpStackLocation(irp).majorFunction = IRP_MJ_DEVICE_CONTROL;
      ioCallDriver(stack.top, irp);
    });
    expect(stack.kernel.trace.findings[0]?.text).toMatch(/completed past its last location/);
    expect(stack.kernel.leakReport().leaks.map((leak) => leak.kind)).toContain('IRP');
  });
});

describe('IoForwardIrpSynchronously', () => {
  it('waits for the lower driver, which completes from a DPC, and gives the IRP back', () => {
    const stack = new Stack(
      () => (_device, irp) => {
        ioMarkIrpPending(irp);
        const dpc = new KDPC(() => completeWith(irp, STATUS_SUCCESS, 5), null);
        keSetTimer(new KTIMER(), -10_000, dpc);
        return STATUS_PENDING;
      },
      (lower) => (_device, irp) => {
        expect(ioForwardIrpSynchronously(lower, irp)).toBe(true);
        expect(irp.ioStatus.information).toBe(5);
        return completeWith(irp, STATUS_SUCCESS, irp.ioStatus.information + 1);
      },
    );
    stack.kernel.enter(() => {
      const irp = stack.irp();
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_SUCCESS);
      expect(irp.ioStatus.information).toBe(6);
      expect(stack.kernel.clock.now).toBe(10_000);
    });
  });

  it('is false without a stack location left', () => {
    const stack = new Stack(() => (device, irp) => {
      expect(ioForwardIrpSynchronously(device, irp)).toBe(false);
      return completeWith(irp);
    });
    stack.kernel.enter(() => ioCallDriver(stack.top, stack.irp()));
  });
});

describe('IRPs that the I/O manager frees', () => {
  it('carry buffered device controls between drivers', () => {
    const stack = new Stack(() => (_device, irp) => {
      const { parameters } = ioGetCurrentIrpStackLocation(irp);
      expect(parameters.inputBufferLength).toBe(2);
      expect(parameters.outputBufferLength).toBe(4);
      const buffer = irp.systemBuffer;
      expect([...(buffer ?? [])]).toEqual([1, 2, 0, 0]);
      buffer?.set([9, 8, 7, 6]);
      return completeWith(irp, STATUS_BUFFER_OVERFLOW, 3);
    });
    stack.kernel.enter(() => {
      const event = new KEVENT('NotificationEvent');
      const iosb = new IO_STATUS_BLOCK();
      const output = new Uint8Array(4);
      const irp = ioBuildDeviceIoControlRequest(
        IOCTL_BUFFERED,
        stack.top,
        Uint8Array.of(1, 2),
        output,
        true,
        event,
        iosb,
      );
      ioCallDriver(stack.top, irp);
      expect(keReadStateEvent(event)).toBe(true);
      expect(iosb).toMatchObject({ status: STATUS_BUFFER_OVERFLOW, information: 3 });
      expect([...output]).toEqual([9, 8, 7, 0]);
      expect(irp.state).toBe('Free');
    });
  });

  it('ask a stack for PnP information', () => {
    const stack = new Stack(
      () => (_device, irp) => {
        expect(ioGetCurrentIrpStackLocation(irp).minorFunction).toBe(9);
        return completeWith(irp, STATUS_SUCCESS, 3);
      },
      pass,
    );
    stack.kernel.enter(() => {
      const event = new KEVENT('NotificationEvent');
      const iosb = new IO_STATUS_BLOCK();
      const irp = ioBuildSynchronousFsdRequest(IRP_MJ_PNP, stack.top, event, iosb);
      ioGetNextIrpStackLocation(irp).minorFunction = 9;
      expect(ioCallDriver(stack.top, irp)).toBe(STATUS_SUCCESS);
      expect(keReadStateEvent(event)).toBe(true);
      expect(iosb.information).toBe(3);
    });
  });

  it('may have a location of their driver’s own', () => {
    const stack = new Stack(succeed);
    stack.kernel.enter(() => {
      const irp = ioAllocateIrp(stack.top.stackSize + 1);
      ioSetNextIrpStackLocation(irp);
      ioGetCurrentIrpStackLocation(irp).deviceObject = stack.top;
      ioGetNextIrpStackLocation(irp).majorFunction = IRP_MJ_DEVICE_CONTROL;
      let device: DEVICE_OBJECT | null = null;
      ioSetCompletionRoutine(
        irp,
        (own) => {
          device = own;
          return STATUS_MORE_PROCESSING_REQUIRED;
        },
        null,
      );
      ioCallDriver(stack.top, irp);
      expect(device).toBe(stack.top);
      ioFreeIrp(irp);
    });
  });

  it('can be reused by their driver', () => {
    const stack = new Stack(succeed);
    stack.kernel.enter(() => {
      const irp = stack.irp();
      ioCallDriver(stack.top, irp);
      ioReuseIrp(irp, STATUS_UNSUCCESSFUL);
      expect(irp.ioStatus).toMatchObject({ status: STATUS_UNSUCCESSFUL, information: 0 });
      expect(ioGetNextIrpStackLocation(irp).parameters.ioControlCode).toBe(0);
      ioFreeIrp(irp);
    });
  });
});

describe('cancellation', () => {
  const queueing = (queue: IRP[], cancelled: string[]) => (): DRIVER_DISPATCH => (_device, irp) => {
    ioMarkIrpPending(irp);
    queue.push(irp);
    ioSetCancelRoutine(irp, (device, victim) => {
      cancelled.push(`${device?.displayName} at ${keGetCurrentIrql()}`);
      ioReleaseCancelSpinLock(victim.cancelIrql);
      queue.splice(queue.indexOf(victim), 1);
      completeWith(victim, STATUS_CANCELLED);
    });
    return STATUS_PENDING;
  };

  it('calls the cancel routine at DISPATCH_LEVEL with the lock held, once', () => {
    const queue: IRP[] = [];
    const cancelled: string[] = [];
    const stack = new Stack(queueing(queue, cancelled));
    stack.kernel.enter(() => {
      const irp = stack.irp();
      ioCallDriver(stack.top, irp);
      expect(ioCancelIrp(irp)).toBe(true);
      expect(cancelled).toEqual(['\\Device\\stack at 2']);
      expect(queue).toEqual([]);
      expect(irp.ioStatus.status).toBe(STATUS_CANCELLED);
      expect(keGetCurrentIrql()).toBe(0);
      ioFreeIrp(irp);
    });
  });

  it('only marks an IRP without a cancel routine; who sets one later looks at the mark', () => {
    const stack = new Stack(() => (_device, irp) => {
      ioMarkIrpPending(irp);
      return STATUS_PENDING;
    });
    stack.kernel.enter(() => {
      const irp = stack.irp();
      ioCallDriver(stack.top, irp);
      expect(ioCancelIrp(irp)).toBe(false);
      expect(irp.cancel).toBe(true);
      expect(ioSetCancelRoutine(irp, () => undefined)).toBeNull();
      expect(ioSetCancelRoutine(irp, null)).not.toBeNull();
      completeWith(irp, STATUS_CANCELLED);
    });
  });

  it('by a routine that keeps the spin lock is a bugcheck', () => {
    const stack = new Stack(() => (_device, irp) => {
      ioMarkIrpPending(irp);
      ioSetCancelRoutine(irp, () => undefined);
      return STATUS_PENDING;
    });
    stack.kernel.enter(() => {
      const irp = stack.irp();
      ioCallDriver(stack.top, irp);
      expect(bugcheckOf(() => ioCancelIrp(irp))).toMatch(
        /^IRQL_UNEXPECTED_VALUE: The cancel routine .*spin lock held/,
      );
    });
  });
});

describe('a remove lock', () => {
  it('holds removal back until the last user is done, and lets nobody in meanwhile', () => {
    const kernel = new Kernel(new TestPlatform());
    kernel.enter(() => {
      const lock = new IO_REMOVE_LOCK();
      const request = { name: 'request' };
      expect(ioAcquireRemoveLock(lock, request)).toBe(STATUS_SUCCESS);
      expect(ioAcquireRemoveLock(lock)).toBe(STATUS_SUCCESS);
      const order: string[] = [];
      const dpc = new KDPC(() => {
        order.push(ioAcquireRemoveLock(lock) === STATUS_DELETE_PENDING ? 'refused' : 'let in');
        ioReleaseRemoveLock(lock, request);
        order.push('released');
      }, null);
      keSetTimer(new KTIMER(), -100, dpc);
      ioReleaseRemoveLockAndWait(lock);
      order.push('removed');
      expect(order).toEqual(['refused', 'released', 'removed']);
    });
  });

  it.each([
    ['released with another tag', (lock: IO_REMOVE_LOCK) => ioReleaseRemoveLock(lock, 'other')],
    [
      'waited for twice',
      (lock: IO_REMOVE_LOCK) => {
        ioReleaseRemoveLockAndWait(lock, 'tag');
        ioReleaseRemoveLockAndWait(lock, 'tag');
      },
    ],
  ])('%s is a bugcheck', (_name, misuse) => {
    const kernel = new Kernel(new TestPlatform());
    kernel.enter(() => {
      const lock = new IO_REMOVE_LOCK();
      ioAcquireRemoveLock(lock, 'tag');
      expect(bugcheckOf(() => misuse(lock))).toMatch(/^DRIVER_VERIFIER_DETECTED_VIOLATION/);
    });
  });
});

describe('a DPC', () => {
  it('completes a request for which a thread waits on an event', () => {
    const stack = new Stack(() => (_device, irp) => {
      ioMarkIrpPending(irp);
      keInsertQueueDpc(new KDPC(() => completeWith(irp), null));
      return STATUS_PENDING;
    });
    stack.kernel.enter(() => {
      const event = new KEVENT('NotificationEvent');
      const iosb = new IO_STATUS_BLOCK();
      const irp = ioBuildDeviceIoControlRequest(IOCTL, stack.top, null, null, false, event, iosb);
      ioCallDriver(stack.top, irp);
      expect(keWaitForSingleObject(event, null)).toBe(STATUS_SUCCESS);
      expect(iosb.status).toBe(STATUS_SUCCESS);
    });
  });
});

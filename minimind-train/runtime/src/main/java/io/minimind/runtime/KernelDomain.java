package io.minimind.runtime;

import static io.minimind.runtime.OnnxRuntime.API;
import static io.minimind.runtime.OnnxRuntime.check;
import static org.bytedeco.onnxruntime.global.onnxruntime.INPUT_OUTPUT_OPTIONAL;
import static org.bytedeco.onnxruntime.global.onnxruntime.INPUT_OUTPUT_REQUIRED;
import static org.bytedeco.onnxruntime.global.onnxruntime.ORT_API_VERSION;
import static org.bytedeco.onnxruntime.global.onnxruntime.ORT_RUNTIME_EXCEPTION;
import static org.bytedeco.onnxruntime.global.onnxruntime.OrtMemTypeDefault;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.onnxruntime.OrtApi;
import org.bytedeco.onnxruntime.OrtCustomOp;
import org.bytedeco.onnxruntime.OrtCustomOpDomain;
import org.bytedeco.onnxruntime.OrtKernelContext;
import org.bytedeco.onnxruntime.OrtKernelInfo;
import org.bytedeco.onnxruntime.OrtSessionOptions;
import org.bytedeco.onnxruntime.OrtStatus;

/**
 * A set of operators as ONNX Runtime sees it: a structure of function pointers for each, behind
 * which are kernels in Java. It is made once and never released, since sessions point to it.
 *
 * <p>JavaCPP has few native functions for the methods of one class, so that operators share one of
 * each kind, which learns from its first argument whose it is. What a function throws must not
 * leave it: native code has no frame that could catch it, and the process would end.
 */
final class KernelDomain {

  private static final ThreadLocal<Throwable> FAILURE = new ThreadLocal<>();

  private final OrtCustomOpDomain domain = new OrtCustomOpDomain();
  private final Map<Long, Kernel.Declaration> declarations = new ConcurrentHashMap<>();
  private final Map<Long, BytePointer> names = new ConcurrentHashMap<>();
  private final Map<Long, Kernel> kernels = new ConcurrentHashMap<>();
  private final AtomicLong lastKernel = new AtomicLong();
  private final BytePointer unspeakable = new BytePointer("A kernel failed.");

  /** What native code points to. */
  private final List<OrtCustomOp> structures = new ArrayList<>();

  private final Functions functions = new Functions();
  private final List<Replaceable> replaceable = new ArrayList<>();

  private final OrtCustomOp.ReleaseMayInplace_IntPointer_IntPointer release =
      new OrtCustomOp.ReleaseMayInplace_IntPointer_IntPointer() {
        @Override
        public void call(IntPointer operands, IntPointer results) {
          // They stay as long as the process.
        }
      };

  KernelDomain(String name, List<Kernel.Declaration> declarations) {
    check(API.CreateCustomOpDomain(name, domain));
    for (Kernel.Declaration declaration : declarations) {
      OrtCustomOp structure = functions.structure();
      declaration.replaced().forEach(operand -> replaceable(structure, operand));
      this.declarations.put(structure.address(), declaration);
      names.put(
          structure.address(),
          new BytePointer(declaration.specification().name(), StandardCharsets.UTF_8));
      structures.add(structure);
      check(API.CustomOpDomain_Add(domain, structure));
    }
  }

  /** The one function that is not told whose it is. */
  private void replaceable(OrtCustomOp structure, int operand) {
    Replaceable replaceable = new Replaceable(operand);
    this.replaceable.add(replaceable);
    structure.GetMayInplace(replaceable).ReleaseMayInplace(release);
  }

  /** Tells in whose place the first result may be. */
  private static final class Replaceable
      extends OrtCustomOp.GetMayInplace_PointerPointer_PointerPointer {
    private final IntPointer operand;
    private final IntPointer result = new IntPointer(1).put(0);

    private Replaceable(int operand) {
      this.operand = new IntPointer(1).put(operand);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public long call(PointerPointer operands, PointerPointer results) {
      operands.put(0, operand);
      results.put(0, result);
      return 1;
    }
  }

  /** Gives the sessions that are opened with some options these operators. */
  void addTo(OrtSessionOptions options) {
    check(API.AddCustomOpDomain(options, domain));
  }

  /** How many nodes of open sessions have a kernel here. */
  int kernels() {
    return kernels.size();
  }

  /** What a kernel threw in this thread's last call of the runtime, once; null if nothing. */
  static Throwable takeFailure() {
    Throwable failure = FAILURE.get();
    FAILURE.remove();
    return failure;
  }

  private OrtStatus failed(Throwable failure) {
    BytePointer text = unspeakable;
    try {
      FAILURE.set(failure);
      text = new BytePointer(String.valueOf(failure.getMessage()), StandardCharsets.UTF_8);
    } catch (Throwable second) {
      // There is no memory for words; the failure itself is reported all the same.
    }
    return API.CreateStatus().call(ORT_RUNTIME_EXCEPTION, text);
  }

  /** A handle that is a number and points to nothing. */
  static final class Handle extends Pointer {
    Handle(long number) {
      super((Pointer) null);
      address = number;
    }
  }

  /** The native functions; JavaCPP keeps them as long as these objects live. */
  private final class Functions {

    private final OrtCustomOp.GetName_OrtCustomOp name =
        new OrtCustomOp.GetName_OrtCustomOp() {
          @Override
          public BytePointer call(OrtCustomOp op) {
            return names.get(op.address());
          }
        };

    private final OrtCustomOp.GetExecutionProviderType_OrtCustomOp provider =
        new OrtCustomOp.GetExecutionProviderType_OrtCustomOp() {
          @Override
          public BytePointer call(OrtCustomOp op) {
            return null; // The CPU's.
          }
        };

    private final OrtCustomOp.GetInputTypeCount_OrtCustomOp inputs =
        new OrtCustomOp.GetInputTypeCount_OrtCustomOp() {
          @Override
          public long call(OrtCustomOp op) {
            return declarations.get(op.address()).inputs().size();
          }
        };

    private final OrtCustomOp.GetInputType_OrtCustomOp_long inputType =
        new OrtCustomOp.GetInputType_OrtCustomOp_long() {
          @Override
          public int call(OrtCustomOp op, long index) {
            return declarations.get(op.address()).inputs().get((int) index).onnxCode();
          }
        };

    private final OrtCustomOp.GetOutputTypeCount_OrtCustomOp outputs =
        new OrtCustomOp.GetOutputTypeCount_OrtCustomOp() {
          @Override
          public long call(OrtCustomOp op) {
            return declarations.get(op.address()).outputs().size();
          }
        };

    private final OrtCustomOp.GetOutputType_OrtCustomOp_long outputType =
        new OrtCustomOp.GetOutputType_OrtCustomOp_long() {
          @Override
          public int call(OrtCustomOp op, long index) {
            return declarations.get(op.address()).outputs().get((int) index).onnxCode();
          }
        };

    private final OrtCustomOp.GetInputCharacteristic_OrtCustomOp_long inputKind =
        new OrtCustomOp.GetInputCharacteristic_OrtCustomOp_long() {
          @Override
          public int call(OrtCustomOp op, long index) {
            Kernel.Declaration declaration = declarations.get(op.address());
            return index < declaration.specification().fewestInputs()
                ? INPUT_OUTPUT_REQUIRED
                : INPUT_OUTPUT_OPTIONAL;
          }
        };

    private final OrtCustomOp.GetOutputCharacteristic_OrtCustomOp_long outputKind =
        new OrtCustomOp.GetOutputCharacteristic_OrtCustomOp_long() {
          @Override
          public int call(OrtCustomOp op, long index) {
            return INPUT_OUTPUT_REQUIRED;
          }
        };

    private final OrtCustomOp.GetInputMemoryType_OrtCustomOp_long inputMemory =
        new OrtCustomOp.GetInputMemoryType_OrtCustomOp_long() {
          @Override
          public int call(OrtCustomOp op, long index) {
            return OrtMemTypeDefault;
          }
        };

    private final OrtCustomOp.GetVariadicInputMinArity_OrtCustomOp fewestInputs =
        new OrtCustomOp.GetVariadicInputMinArity_OrtCustomOp() {
          @Override
          public int call(OrtCustomOp op) {
            return 1;
          }
        };

    private final OrtCustomOp.GetStartVersion_OrtCustomOp firstVersion =
        new OrtCustomOp.GetStartVersion_OrtCustomOp() {
          @Override
          public int call(OrtCustomOp op) {
            return declarations.get(op.address()).specification().since();
          }
        };

    private final OrtCustomOp.GetEndVersion_OrtCustomOp lastVersion =
        new OrtCustomOp.GetEndVersion_OrtCustomOp() {
          @Override
          public int call(OrtCustomOp op) {
            return Integer.MAX_VALUE;
          }
        };

    private final OrtCustomOp.CreateKernelV2_OrtCustomOp_OrtApi_OrtKernelInfo_PointerPointer
        create =
            new OrtCustomOp.CreateKernelV2_OrtCustomOp_OrtApi_OrtKernelInfo_PointerPointer() {
              @Override
              @SuppressWarnings("rawtypes")
              public OrtStatus call(
                  OrtCustomOp op, OrtApi api, OrtKernelInfo info, PointerPointer made) {
                try {
                  Kernel.Factory factory = declarations.get(op.address()).factory();
                  long number = lastKernel.incrementAndGet();
                  kernels.put(number, factory.create(new KernelNode(info)));
                  made.put(0, new Handle(number));
                  return null;
                } catch (Throwable e) {
                  return failed(e);
                }
              }
            };

    private final OrtCustomOp.KernelComputeV2_Pointer_OrtKernelContext compute =
        new OrtCustomOp.KernelComputeV2_Pointer_OrtKernelContext() {
          @Override
          public OrtStatus call(Pointer kernel, OrtKernelContext context) {
            try (KernelCall call = new KernelCall(context)) {
              kernels.get(kernel.address()).compute(call);
              return null;
            } catch (Throwable e) {
              return failed(e);
            }
          }
        };

    private final OrtCustomOp.KernelDestroy_Pointer destroy =
        new OrtCustomOp.KernelDestroy_Pointer() {
          @Override
          public void call(Pointer kernel) {
            kernels.remove(kernel.address());
          }
        };

    private OrtCustomOp structure() {
      OrtCustomOp structure = new OrtCustomOp();
      Pointer.memset(structure, 0, structure.sizeof());
      return structure
          .version(ORT_API_VERSION)
          .GetName(name)
          .GetExecutionProviderType(provider)
          .GetInputTypeCount(inputs)
          .GetInputType(inputType)
          .GetOutputTypeCount(outputs)
          .GetOutputType(outputType)
          .GetInputCharacteristic(inputKind)
          .GetOutputCharacteristic(outputKind)
          .GetInputMemoryType(inputMemory)
          .GetVariadicInputMinArity(fewestInputs)
          .CreateKernelV2(create)
          .KernelComputeV2(compute)
          .KernelDestroy(destroy)
          .GetStartVersion(firstVersion)
          .GetEndVersion(lastVersion);
    }
  }
}

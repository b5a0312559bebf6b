package io.minimind.runtime;

import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.onnxruntime.OrtApi;

/**
 * A function that no binding has, of a library that is loaded and whose symbols are global. It
 * takes two integers or pointers at most: these are in the same registers in every calling
 * convention there is.
 */
final class NativeFunction {

  /** Where the function's address lies; needed as long as it is called. */
  private final PointerPointer<Pointer> holder;

  private final OrtApi.Fn_Pointer_long function;

  private NativeFunction(Pointer address) {
    holder = new PointerPointer<Pointer>(1).put(0, address);
    function = new OrtApi.Fn_Pointer_long(holder);
  }

  /** The function of a name, if the process has one. */
  static Optional<NativeFunction> of(String name) {
    return address(name).map(NativeFunction::new);
  }

  /** Where it is. */
  static Optional<Pointer> address(String name) {
    return Optional.ofNullable(Loader.addressof(name)).filter(address -> !address.isNull());
  }

  void call(long first, long second) {
    function.call(new KernelDomain.Handle(first), second);
  }
}

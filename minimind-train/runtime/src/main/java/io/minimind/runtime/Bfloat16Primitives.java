package io.minimind.runtime;

import io.minimind.runtime.Bfloat16Products.Tile;
import io.minimind.runtime.OneDnn.Matrix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * oneDNN's products of bf16, and the conversions that they need. A primitive is made for shapes,
 * and kept for when these come again; those that were not used for longest are given back.
 */
final class Bfloat16Primitives {

  /** Columns of a block of the packed second factor. */
  static final long COLUMNS = 64;

  /** Rows of such a block. */
  private static final long ROWS = 32;

  /** Bytes of a number. */
  private static final long BYTES = 2;

  private static final int MOST_KEPT = 256;

  private static final memory.data_type FLOAT32 = memory.data_type.f32;
  private static final memory.data_type BFLOAT16 = memory.data_type.bf16;

  private final engine engine;
  private final stream stream;
  private final Map<Record, Optional<Operation>> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Record, Optional<Operation>> eldest) {
          boolean tooMany = size() > MOST_KEPT;
          if (tooMany) {
            eldest.getValue().ifPresent(Operation::close);
          }
          return tooMany;
        }
      };

  /** What primitives work in, as large as the largest of them needs it. */
  private BytePointer scratchpad = new BytePointer(1);

  Bfloat16Primitives(engine engine, stream stream) {
    this.engine = engine;
    this.stream = stream;
  }

  static long packedBytes(long n, long k) {
    return up(n, COLUMNS) * up(k, ROWS) * BYTES;
  }

  static long convertedBytes(Tile tile) {
    return tile.rows() * inner(tile) * BYTES;
  }

  /**
   * What is summed up over with the zeros that are added to both factors: oneDNN may read so far,
   * and what is there must be a number. So batches of about as many tokens have the same shapes,
   * too.
   */
  private static long inner(Tile tile) {
    return up(tile.k(), ROWS);
  }

  private static long up(long n, long multiple) {
    return (n + multiple - 1) / multiple * multiple;
  }

  private record Packing(long k, long n, long stride, boolean transposed) {}

  private record Conversion(long lines, long line, long stride, long convertedStride) {}

  private record Product(long rows, long n, long k, boolean transposed, boolean added) {}

  /** Whether oneDNN has a product for a tile that uses instructions for bf16. */
  boolean multiplies(Tile tile) {
    return product(tile).isPresent();
  }

  /**
   * Packs some columns of a second factor.
   *
   * @param b [k, n]
   */
  void pack(long k, long n, Matrix b, long packed) {
    Packing packing = new Packing(k, n, b.stride(), b.transposed());
    kept(packing, () -> reorder(float32(k, n, b.stride(), b.transposed()), packed(k, n)))
        .orElseThrow()
        .run(b.address(), packed);
  }

  /**
   * Converts a first factor.
   *
   * @param a [rows, k]
   */
  void convert(Tile tile, Matrix a, long converted) {
    long lines = tile.transposed() ? tile.k() : tile.rows();
    long line = tile.transposed() ? tile.rows() : tile.k();
    long convertedStride = tile.transposed() ? tile.rows() : inner(tile);
    if (tile.k() < inner(tile)) {
      Pointer.memset(new KernelDomain.Handle(converted), 0, convertedBytes(tile));
    }
    kept(
            new Conversion(lines, line, a.stride(), convertedStride),
            () ->
                reorder(
                    float32(lines, line, a.stride(), false),
                    plain(BFLOAT16, lines, line, convertedStride, false)))
        .orElseThrow()
        .run(a.address(), converted);
  }

  /**
   * @param a converted
   * @param b packed
   * @param addend 0 if there is none
   */
  void multiply(Tile tile, long a, long b, long addend, long c) {
    Operation product = product(tile).orElseThrow();
    if (tile.added()) {
      product.run(a, b, c, addend);
    } else {
      product.run(a, b, c);
    }
  }

  private Optional<Operation> product(Tile tile) {
    long k = inner(tile);
    return kept(
        new Product(tile.rows(), tile.n(), k, tile.transposed(), tile.added()),
        () -> matmul(tile, k));
  }

  private Optional<Operation> kept(Record key, Supplier<Optional<Operation>> make) {
    Optional<Operation> known = kept.get(key);
    if (known == null) {
      known = make.get();
      kept.put(key, known);
    }
    return known;
  }

  /** Nothing if the only one is a slow one that serves as a reference. */
  private Optional<Operation> matmul(Tile tile, long k) {
    memory.desc addend = float32(tile.rows(), tile.n(), tile.n(), false);
    try (primitive_attr attributes = attributes();
        post_ops after = new post_ops()) {
      if (tile.added()) {
        after.append_binary(dnnl.algorithm.binary_add, addend);
        attributes.set_post_ops(after);
      }
      matmul.primitive_desc description =
          new matmul.primitive_desc(
              engine,
              bfloat16(tile.rows(), k, tile.transposed()),
              packed(k, tile.n()),
              float32(tile.rows(), tile.n(), tile.n(), false),
              attributes,
              true);
      if (!description.asBoolean() || description.impl_info_str().getString().contains("ref")) {
        return Optional.empty();
      }
      Operation operation =
          new Operation(new matmul(description), description.scratchpad_desc())
              .with(dnnl.DNNL_ARG_SRC, description.src_desc())
              .with(dnnl.DNNL_ARG_WEIGHTS, description.weights_desc())
              .with(dnnl.DNNL_ARG_DST, description.dst_desc());
      return Optional.of(
          tile.added()
              ? operation.with(
                  dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | dnnl.DNNL_ARG_SRC_1, addend)
              : operation);
    }
  }

  private Optional<Operation> reorder(memory.desc from, memory.desc to) {
    try (primitive_attr attributes = attributes()) {
      reorder.primitive_desc description =
          new reorder.primitive_desc(engine, from, engine, to, attributes, false);
      return Optional.of(
          new Operation(new reorder(description), description.scratchpad_desc())
              .with(dnnl.DNNL_ARG_FROM, from)
              .with(dnnl.DNNL_ARG_TO, to));
    }
  }

  private static primitive_attr attributes() {
    primitive_attr attributes = new primitive_attr();
    // oneDNN's own would belong to the thread that made the primitive.
    attributes.set_scratchpad_mode(dnnl.scratchpad_mode.user);
    return attributes;
  }

  private static memory.desc float32(long rows, long columns, long stride, boolean transposed) {
    return plain(FLOAT32, rows, columns, stride, transposed);
  }

  private static memory.desc bfloat16(long rows, long columns, boolean transposed) {
    return plain(BFLOAT16, rows, columns, transposed ? rows : columns, transposed);
  }

  private static memory.desc plain(
      memory.data_type type, long rows, long columns, long stride, boolean transposed) {
    long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
    return new memory.desc(new long[] {rows, columns}, type, strides, false);
  }

  /** Blocks of columns one after the other, in each the blocks of rows, padded with zeros. */
  private static memory.desc packed(long k, long n) {
    return new memory.desc(new long[] {k, n}, BFLOAT16, memory.format_tag.BA16a64b2a, false);
  }

  /** A primitive and what it works on, whose places are given when it runs. */
  private final class Operation implements AutoCloseable {
    private final primitive primitive;
    private final IntMemoryMap arguments = new IntMemoryMap();
    private final List<memory> operands = new ArrayList<>();
    private final memory scratch;
    private final long scratchBytes;

    private Operation(primitive primitive, memory.desc scratch) {
      this.primitive = primitive;
      this.scratch = new memory(scratch, engine, (Pointer) null);
      scratchBytes = scratch.get_size();
      arguments.put(dnnl.DNNL_ARG_SCRATCHPAD, this.scratch);
    }

    /** Takes its next operand for an argument. */
    private Operation with(int argument, memory.desc description) {
      memory operand = new memory(description, engine, (Pointer) null);
      operands.add(operand);
      arguments.put(argument, operand);
      return this;
    }

    private void run(long... addresses) {
      for (int i = 0; i < addresses.length; i++) {
        operands.get(i).set_data_handle(new KernelDomain.Handle(addresses[i]));
      }
      scratch.set_data_handle(new KernelDomain.Handle(scratchpad(scratchBytes)));
      primitive.execute(stream, arguments);
    }

    @Override
    public void close() {
      primitive.close();
      arguments.close();
      operands.forEach(memory::close);
      scratch.close();
    }
  }

  private long scratchpad(long bytes) {
    if (scratchpad.capacity() < bytes + Bfloat16Products.ALIGNMENT) {
      scratchpad.close();
      scratchpad = new BytePointer(bytes + Bfloat16Products.ALIGNMENT);
    }
    return Bfloat16Products.aligned(scratchpad.address());
  }
}

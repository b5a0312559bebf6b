package io.minimind.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.JsonErrors;
import io.minimind.files.StrictJson;
import io.minimind.graph.operator.RotaryLayout;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * The architecture of a model. As {@code config.json} it uses the field names of transformers'
 * configurations.
 *
 * @param hiddenSize width of the residual stream
 * @param layers number of blocks
 * @param heads query heads; a multiple of the key/value heads
 * @param keyValueHeads key/value heads
 * @param headSize width of one head, even
 * @param feedForwardSize inner width of the feed-forward layers, or of each expert
 * @param vocabularySize number of token ids
 * @param maxLength longest sequence in tokens
 * @param normEpsilon added to the mean square in every normalisation
 * @param rotary how positions are turned
 * @param parts what the model has besides
 * @param experts what the feed-forward layers are a mixture of, if they are one
 * @param initializerRange deviation of the start values of matrices; 0 for the laws of MiniMind's
 *     first version, which {@link Parameters} has
 */
public record ModelConfig(
    int hiddenSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int feedForwardSize,
    int vocabularySize,
    int maxLength,
    float normEpsilon,
    Rotary rotary,
    Set<Part> parts,
    Experts experts,
    double initializerRange) {

  private static final ObjectMapper JSON =
      StrictJson.mapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** What a model of MiniMind's first version has not. */
  public enum Part {
    /** A norm of each query and each key head, before positions are turned. */
    QUERY_KEY_NORM,
    /** A bias of the query, key and value layers. */
    QUERY_KEY_VALUE_BIAS,
    /** A bias of attention's output layer. */
    OUTPUT_BIAS,
    /** A bias of each of the three feed-forward layers. */
    FEED_FORWARD_BIAS,
    /** A head of its own, where the embedding is the head otherwise. */
    OWN_HEAD
  }

  /**
   * @throws IllegalArgumentException if the values make no model
   */
  public ModelConfig {
    parts = Set.copyOf(parts);
    requirePositive("hidden_size", hiddenSize);
    requirePositive("num_hidden_layers", layers);
    requirePositive("num_attention_heads", heads);
    requirePositive("num_key_value_heads", keyValueHeads);
    requirePositive("intermediate_size", feedForwardSize);
    requirePositive("vocab_size", vocabularySize);
    requirePositive("max_position_embeddings", maxLength);
    if (heads % keyValueHeads != 0) {
      throw new ArgumentException(
          "num_attention_heads must be a multiple of num_key_value_heads, but is %d for %d."
              .formatted(heads, keyValueHeads));
    }
    // Rotary positions turn the elements of a head in pairs.
    if (headSize < 2 || headSize % 2 != 0) {
      throw new ArgumentException("head_dim must be even and at least 2, but is " + headSize + ".");
    }
    if (!(normEpsilon > 0) || !(rotary.base() > 1)) {
      throw new ArgumentException(
          "rms_norm_eps must be above 0 and rope_theta above 1, but they are %s and %s."
              .formatted(normEpsilon, rotary.base()));
    }
    for (int layer : rotary.layersWithout()) {
      if (layer < 0 || layer >= layers) {
        throw new ArgumentException(
            "no_rope_layers names the layer %d of %d.".formatted(layer, layers));
      }
    }
    if (experts.isMixture() && parts.contains(Part.FEED_FORWARD_BIAS)) {
      throw new ArgumentException("mlp_bias is not for a mixture of experts.");
    }
    if (!(initializerRange >= 0 && Double.isFinite(initializerRange))) {
      throw new ArgumentException(
          "initializer_range must be at least 0, but is " + initializerRange + ".");
    }
  }

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new ArgumentException(name + " must be at least 1, but is " + value + ".");
    }
  }

  /** The sizes that have a name. */
  public enum Preset {
    /** For demonstrations: about a million parameters, trained in minutes on two cores. */
    TINY(128, 4, 4, 2, Generation.FIRST, 0),
    /** The 26.9-million-parameter model of the course. */
    SMALL(512, 8, 16, 8, Generation.FIRST, 0),
    /** The 108.7-million-parameter model. */
    BASE(768, 16, 16, 8, Generation.FIRST, 0),
    /**
     * The small model with a mixture of experts: 96.1 million parameters, of which a token meets
     * 61.5 million.
     */
    MOE(512, 8, 16, 8, Generation.FIRST, 4),
    /** MiniMind's third version: 63.9 million parameters. */
    MINIMIND3(768, 8, 8, 4, Generation.THIRD, 0),
    /** That with a mixture of experts: 198.4 million, of which a token meets 63.9 million. */
    MINIMIND3_MOE(768, 8, 8, 4, Generation.THIRD, 4);

    /** What MiniMind chose for all that is no size. */
    private enum Generation {
      FIRST,
      THIRD
    }

    private final int hiddenSize;
    private final int layers;
    private final int heads;
    private final int keyValueHeads;
    private final Generation generation;
    private final int experts;

    Preset(
        int hiddenSize,
        int layers,
        int heads,
        int keyValueHeads,
        Generation generation,
        int experts) {
      this.hiddenSize = hiddenSize;
      this.layers = layers;
      this.heads = heads;
      this.keyValueHeads = keyValueHeads;
      this.generation = generation;
      this.experts = experts;
    }

    public ModelConfig config(int vocabularySize, int maxLength) {
      return like(hiddenSize, layers, heads, keyValueHeads, vocabularySize, maxLength)
          .with(experts(experts));
    }

    /** A model of other sizes, dense, with all else as in this one. */
    public ModelConfig like(
        int hiddenSize,
        int layers,
        int heads,
        int keyValueHeads,
        int vocabularySize,
        int maxLength) {
      return generation == Generation.FIRST
          ? of(hiddenSize, layers, heads, keyValueHeads, vocabularySize, maxLength)
          : minimind3(hiddenSize, layers, heads, keyValueHeads, vocabularySize, maxLength);
    }

    /** A mixture of so many experts, with all else as models like this one have it. */
    public Experts experts(int routed) {
      return generation == Generation.FIRST ? Experts.of(routed) : Experts.minimind3(routed);
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A configuration with the choices of MiniMind's first version for what is not given. */
  public static ModelConfig of(
      int hiddenSize, int layers, int heads, int keyValueHeads, int vocabularySize, int maxLength) {
    return builder()
        .hiddenSize(hiddenSize)
        .layers(layers)
        .heads(heads)
        .keyValueHeads(keyValueHeads)
        // Two thirds of four times the width, rounded down and then up to a multiple of 64.
        .feedForwardSize((2 * 4 * hiddenSize / 3 + 63) / 64 * 64)
        .vocabularySize(vocabularySize)
        .maxLength(maxLength)
        .build();
  }

  /** A configuration with the choices of MiniMind's third version for what is not given. */
  public static ModelConfig minimind3(
      int hiddenSize, int layers, int heads, int keyValueHeads, int vocabularySize, int maxLength) {
    return builder()
        .hiddenSize(hiddenSize)
        .layers(layers)
        .heads(heads)
        .keyValueHeads(keyValueHeads)
        .feedForwardSize((int) Math.ceil(hiddenSize * Math.PI / 64) * 64)
        .vocabularySize(vocabularySize)
        .maxLength(maxLength)
        .normEpsilon(1e-6f)
        .rotary(Rotary.of(RotaryLayout.HALVES, 1e6f))
        .part(Part.QUERY_KEY_NORM)
        .initializerRange(0.02)
        .build();
  }

  /** A builder that begins with the choices of MiniMind's first version, and without any size. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that begins with this configuration. */
  public Builder toBuilder() {
    Builder builder =
        builder()
            .hiddenSize(hiddenSize)
            .layers(layers)
            .heads(heads)
            .keyValueHeads(keyValueHeads)
            .headSize(headSize)
            .feedForwardSize(feedForwardSize)
            .vocabularySize(vocabularySize)
            .maxLength(maxLength)
            .normEpsilon(normEpsilon)
            .rotary(rotary)
            .experts(experts)
            .initializerRange(initializerRange);
    parts.forEach(builder::part);
    return builder;
  }

  /** Puts a configuration together; what the values mean stands at {@link ModelConfig}. */
  public static final class Builder {
    private int hiddenSize;
    private int layers;
    private int heads;
    private int keyValueHeads;
    private int headSize;
    private int feedForwardSize;
    private int vocabularySize;
    private int maxLength;
    private float normEpsilon = 1e-5f;
    private Rotary rotary = Rotary.of(RotaryLayout.NEIGHBOURS, 10_000);
    private final Set<Part> parts = EnumSet.noneOf(Part.class);
    private Experts experts = Experts.NONE;
    private double initializerRange;

    private Builder() {}

    public Builder hiddenSize(int hiddenSize) {
      this.hiddenSize = hiddenSize;
      return this;
    }

    public Builder layers(int layers) {
      this.layers = layers;
      return this;
    }

    public Builder heads(int heads) {
      this.heads = heads;
      return this;
    }

    public Builder keyValueHeads(int keyValueHeads) {
      this.keyValueHeads = keyValueHeads;
      return this;
    }

    /** 0, as in the beginning, to share the hidden size among the heads. */
    public Builder headSize(int headSize) {
      this.headSize = headSize;
      return this;
    }

    public Builder feedForwardSize(int feedForwardSize) {
      this.feedForwardSize = feedForwardSize;
      return this;
    }

    public Builder vocabularySize(int vocabularySize) {
      this.vocabularySize = vocabularySize;
      return this;
    }

    public Builder maxLength(int maxLength) {
      this.maxLength = maxLength;
      return this;
    }

    public Builder normEpsilon(float normEpsilon) {
      this.normEpsilon = normEpsilon;
      return this;
    }

    public Builder rotary(Rotary rotary) {
      this.rotary = rotary;
      return this;
    }

    /** Adds a part. */
    public Builder part(Part part) {
      parts.add(part);
      return this;
    }

    public Builder experts(Experts experts) {
      this.experts = experts;
      return this;
    }

    public Builder initializerRange(double initializerRange) {
      this.initializerRange = initializerRange;
      return this;
    }

    /**
     * @throws IllegalArgumentException if the values make no model
     */
    public ModelConfig build() {
      return new ModelConfig(
          hiddenSize,
          layers,
          heads,
          keyValueHeads,
          headSize == 0 ? shared() : headSize,
          feedForwardSize,
          vocabularySize,
          maxLength,
          normEpsilon,
          rotary,
          parts,
          experts,
          initializerRange);
    }

    private int shared() {
      requirePositive("hidden_size", hiddenSize);
      requirePositive("num_attention_heads", heads);
      if (hiddenSize % (2L * heads) != 0) {
        throw new ArgumentException(
            "hidden_size must be a multiple of twice num_attention_heads, but is %d for %d heads."
                .formatted(hiddenSize, heads));
      }
      return hiddenSize / heads;
    }
  }

  /** The same architecture with another mixture of experts, or none. */
  public ModelConfig with(Experts experts) {
    return toBuilder().experts(experts).build();
  }

  public boolean has(Part part) {
    return parts.contains(part);
  }

  /** Width of all query heads together. */
  public long queryWidth() {
    return (long) heads * headSize;
  }

  /** Width of all key heads together, and of all value heads. */
  public long keyValueWidth() {
    return (long) keyValueHeads * headSize;
  }

  /**
   * Width of one head in the key/value cache: the head size, rounded up to a multiple of 16. ONNX
   * Runtime's attention with rotary positions takes no other.
   */
  public int cachedHeadSize() {
    return (headSize + 15) / 16 * 16;
  }

  /** Number of parameters, a shared embedding and output matrix counted once. */
  public long parameterCount() {
    return new Parameters(this).count();
  }

  /** Number of parameters that a token meets: {@link #parameterCount} less the other experts'. */
  public long activeParameterCount() {
    return new Parameters(this).activeCount();
  }

  /**
   * Floating point operations of a training step for each position of a row: 6 for each parameter
   * that a token meets, and 6 · layers · width of the queries · length for causal attention
   * (Chowdhery et al. 2022, "PaLM", appendix B, halved for the mask). What the backward pass
   * computes again does not count.
   *
   * @param length positions of the row
   */
  public double operationsPerPosition(int length) {
    // An embedding that is no head too is only looked up.
    double lookedUp = has(Part.OWN_HEAD) ? (double) vocabularySize * hiddenSize : 0;
    return 6 * (activeParameterCount() - lookedUp) + 6.0 * layers * queryWidth() * length;
  }

  /**
   * Reads {@code config.json}.
   *
   * @throws IOException if the file cannot be read or describes no valid model; the message says
   *     what is wrong and where
   */
  public static ModelConfig read(Path file) throws IOException {
    try {
      if (!(JSON.readTree(InputFile.bytes(file)) instanceof ObjectNode json)) {
        throw new InputException(
            file + " is not a valid model configuration: it is no JSON object.");
      }
      return fromJson(json);
    } catch (NoSuchFileException e) {
      throw new InputException("There is no model configuration at " + file + ".", e);
    } catch (JsonProcessingException e) {
      throw new InputException(
          file
              + " is not a valid model configuration: "
              + JsonErrors.reason(e)
              + JsonErrors.place(e)
              + ".",
          e);
    } catch (CharConversionException e) {
      throw new InputException(
          file + " is not a valid model configuration: it is no text in UTF-8.", e);
    } catch (ArgumentException e) {
      throw new InputException(file + " is not a valid model configuration: " + e.getMessage(), e);
    }
  }

  /**
   * The configuration that JSON describes.
   *
   * @throws IllegalArgumentException if it describes none, or has a field that is not understood
   *     and may change what a model computes
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static ModelConfig fromJson(ObjectNode json) {
    return ConfigJson.read(json);
  }

  @JsonValue
  ObjectNode json() {
    return ConfigJson.write(this);
  }

  /** This configuration as {@code config.json}. */
  public String toJson() {
    try {
      return JSON.writeValueAsString(json());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}

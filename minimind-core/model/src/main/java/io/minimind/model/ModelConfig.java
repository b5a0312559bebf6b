package io.minimind.model;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.minimind.files.ArgumentException;
import io.minimind.files.JsonErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The architecture of a model. As {@code config.json} it uses the field names of transformers'
 * Llama configuration.
 *
 * @param hiddenSize width of the residual stream; a multiple of twice the heads
 * @param layers number of blocks
 * @param heads query heads; a multiple of the key/value heads
 * @param keyValueHeads key/value heads
 * @param feedForwardSize inner width of the feed-forward layers, or of each expert
 * @param vocabularySize number of token ids
 * @param maxLength longest sequence in tokens
 * @param normEpsilon added to the mean square in every normalisation
 * @param ropeTheta base of the rotary angles
 * @param experts what the feed-forward layers are a mixture of, if they are one
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ModelConfig(
    @JsonProperty(value = "hidden_size", required = true) int hiddenSize,
    @JsonProperty(value = "num_hidden_layers", required = true) int layers,
    @JsonProperty(value = "num_attention_heads", required = true) int heads,
    @JsonProperty(value = "num_key_value_heads", required = true) int keyValueHeads,
    @JsonProperty(value = "intermediate_size", required = true) int feedForwardSize,
    @JsonProperty(value = "vocab_size", required = true) int vocabularySize,
    @JsonProperty(value = "max_position_embeddings", required = true) int maxLength,
    @JsonProperty(value = "rms_norm_eps", required = true) float normEpsilon,
    @JsonProperty(value = "rope_theta", required = true) float ropeTheta,
    @JsonUnwrapped Experts experts) {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  public ModelConfig {
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
    if (hiddenSize % (2L * heads) != 0) {
      throw new ArgumentException(
          "hidden_size must be a multiple of twice num_attention_heads, but is %d for %d heads."
              .formatted(hiddenSize, heads));
    }
    if (!(normEpsilon > 0) || !(ropeTheta > 1)) {
      throw new ArgumentException(
          "rms_norm_eps must be above 0 and rope_theta above 1, but they are %s and %s."
              .formatted(normEpsilon, ropeTheta));
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
    TINY(128, 4, 4, 2, Experts.NONE),
    /** The 26.9-million-parameter model of the course. */
    SMALL(512, 8, 16, 8, Experts.NONE),
    /** The 108.7-million-parameter model. */
    BASE(768, 16, 16, 8, Experts.NONE),
    /**
     * The small model with a mixture of experts: 96.1 million parameters, of which a token meets
     * 61.5 million.
     */
    MOE(512, 8, 16, 8, Experts.of(4));

    private final int hiddenSize;
    private final int layers;
    private final int heads;
    private final int keyValueHeads;
    private final Experts experts;

    Preset(int hiddenSize, int layers, int heads, int keyValueHeads, Experts experts) {
      this.hiddenSize = hiddenSize;
      this.layers = layers;
      this.heads = heads;
      this.keyValueHeads = keyValueHeads;
      this.experts = experts;
    }

    public ModelConfig config(int vocabularySize, int maxLength) {
      return of(hiddenSize, layers, heads, keyValueHeads, vocabularySize, maxLength).with(experts);
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A configuration with MiniMind's choices for what is not given. */
  public static ModelConfig of(
      int hiddenSize, int layers, int heads, int keyValueHeads, int vocabularySize, int maxLength) {
    return new ModelConfig(
        hiddenSize,
        layers,
        heads,
        keyValueHeads,
        feedForwardSize(hiddenSize),
        vocabularySize,
        maxLength,
        1e-5f,
        10_000f,
        Experts.NONE);
  }

  /** The same architecture with another mixture of experts, or none. */
  public ModelConfig with(Experts experts) {
    return new ModelConfig(
        hiddenSize,
        layers,
        heads,
        keyValueHeads,
        feedForwardSize,
        vocabularySize,
        maxLength,
        normEpsilon,
        ropeTheta,
        experts);
  }

  /** Two thirds of four times the hidden size, rounded down and then up to a multiple of 64. */
  private static int feedForwardSize(int hiddenSize) {
    return (2 * 4 * hiddenSize / 3 + 63) / 64 * 64;
  }

  /** Width of one attention head. */
  public int headSize() {
    return hiddenSize / heads;
  }

  /**
   * Width of one head in the key/value cache: the head size, rounded up to a multiple of 16. ONNX
   * Runtime's attention with rotary positions takes no other.
   */
  public int cachedHeadSize() {
    return (headSize() + 15) / 16 * 16;
  }

  /** Number of parameters, the shared embedding and output matrix counted once. */
  public long parameterCount() {
    return parameterCount(experts.isMixture() ? experts.all() : 1);
  }

  /** Number of parameters that a token meets: {@link #parameterCount} less the other experts'. */
  public long activeParameterCount() {
    return parameterCount(experts.isMixture() ? experts.perToken() + experts.shared() : 1);
  }

  private long parameterCount(long feedForwardLayers) {
    long attention = 2L * hiddenSize * hiddenSize + 2L * hiddenSize * keyValueHeads * headSize();
    long gate = (long) experts.routed() * hiddenSize;
    long feedForward = 3 * feedForwardLayers * hiddenSize * feedForwardSize;
    long block = attention + gate + feedForward + 2L * hiddenSize;
    return (long) vocabularySize * hiddenSize + layers * block + hiddenSize;
  }

  /**
   * Floating point operations of a training step for each position of a row: 6 for each parameter
   * that a token meets, and 6 · layers · width · length for causal attention (Chowdhery et al.
   * 2022, "PaLM", appendix B, halved for the mask). What the backward pass computes again does not
   * count.
   *
   * @param length positions of the row
   */
  public double operationsPerPosition(int length) {
    return 6.0 * activeParameterCount() + 6.0 * layers * hiddenSize * length;
  }

  /**
   * Reads {@code config.json}.
   *
   * @throws IOException if the file cannot be read or describes no valid model; the message says
   *     what is wrong and where
   */
  public static ModelConfig read(Path file) throws IOException {
    try {
      return JSON.readValue(Files.readAllBytes(file), ModelConfig.class);
    } catch (NoSuchFileException e) {
      throw new IOException("There is no model configuration at " + file + ".", e);
    } catch (JsonProcessingException e) {
      throw new IOException(file + " is not a valid model configuration: " + reason(e) + ".", e);
    }
  }

  private static String reason(JsonProcessingException e) {
    if (e.getCause() instanceof IllegalArgumentException invalid) {
      return invalid.getMessage().replaceFirst("\\.$", "");
    }
    if (e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
      return mapping.getPath().get(0).getFieldName() + ": " + JsonErrors.reason(e);
    }
    return JsonErrors.reason(e) + JsonErrors.place(e);
  }

  /** This configuration as {@code config.json}. */
  public String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}

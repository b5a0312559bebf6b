package io.minimind.task;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.minimind.artifact.Objective;
import io.minimind.data.ChatEncoder;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.data.Variation;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A pretrained model learns to answer.
 *
 * @param maxLength tokens to which conversations are cut, at least 2
 * @param loss which answers count
 * @param variation what is drawn for each conversation
 * @param packing whether conversations share rows, as many as have room in {@code maxLength}; none
 *     sees another
 */
public record FineTuning(
    int maxLength,
    ChatEncoder.Loss loss,
    @JsonInclude(value = Include.CUSTOM, valueFilter = WhereNothingVaries.class)
        Variation variation,
    @JsonInclude(Include.NON_DEFAULT) boolean packing)
    implements Task {

  /** Such settings are written as earlier versions wrote them. */
  static final class WhereNothingVaries {
    @Override
    public boolean equals(Object value) {
      return value == null || value.equals(Variation.NONE);
    }

    @Override
    public int hashCode() {
      return Variation.NONE.hashCode();
    }
  }

  public static final String NAME = "sft";

  /** From JSON, which says neither variation nor packing where there is none. */
  @JsonCreator
  static FineTuning read(
      @JsonProperty("maxLength") int maxLength,
      @JsonProperty("loss") ChatEncoder.Loss loss,
      @JsonProperty("variation") Optional<Variation> variation,
      @JsonProperty("packing") Optional<Boolean> packing) {
    return new FineTuning(maxLength, loss, variation.orElse(Variation.NONE), packing.orElse(false));
  }

  /**
   * The task with conversations as they are, each in a row of its own.
   *
   * @param maxLength tokens to which conversations are cut, at least 2
   * @param loss which answers count
   */
  public static FineTuning of(int maxLength, ChatEncoder.Loss loss) {
    return of(maxLength, loss, Variation.NONE);
  }

  /**
   * The same with conversations that vary.
   *
   * @param variation what is drawn for each of them
   */
  public static FineTuning of(int maxLength, ChatEncoder.Loss loss, Variation variation) {
    return new FineTuning(maxLength, loss, variation, false);
  }

  @Override
  public String name() {
    return NAME;
  }

  /** The same with conversations that share rows. */
  public FineTuning packed() {
    return new FineTuning(maxLength, loss, variation, true);
  }

  @Override
  public Objective objective() {
    return new Objective.NextToken(packing);
  }

  @Override
  public SampleEncoder encoder(ModelConfig model, Path tokenizer) throws IOException {
    return ChatEncoder.load(tokenizer, maxLength, loss).with(variation);
  }

  @Override
  public BatchSource batches(Samples samples, Batching batching) {
    return packing
        ? CorpusBatches.packed(samples, objective(), batching, maxLength - 1)
        : CorpusBatches.of(samples, objective(), batching);
  }
}

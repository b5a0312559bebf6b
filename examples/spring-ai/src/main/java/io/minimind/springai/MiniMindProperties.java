package io.minimind.springai;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What an application says of its model; all but the first may be left out.
 *
 * @param model the folder of a model, or the name of one on the class path
 * @param parallel answers that are computed together (default 8)
 * @param temperature as in {@link io.minimind.infer.GenerationOptions} (default 0.7)
 * @param maxTokens the most tokens of an answer (default 256)
 * @param think whether a model that can do both thinks before it answers; as its template has it
 *     unless given
 */
@ConfigurationProperties("spring.ai.minimind")
public record MiniMindProperties(
    String model,
    @DefaultValue("8") int parallel,
    @DefaultValue("0.7") double temperature,
    @DefaultValue("256") int maxTokens,
    Boolean think) {}

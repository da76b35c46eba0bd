# Scores of two sets by Bioconductor GSVA, and principal components by prcomp, for test_set_scores.py:
#   Rscript make_reference.R        (in this folder; R 4.2.2, GSVA 1.46.0)
# singscore: the package is not in Debian; its published score (Foroutan et al. 2018, doi:10.1186/s12859-018-2435-4)
# in a few lines with R's own rank: mean rank of the set, ties lowest, between its bounds, centred; members that go down
# are scored on the reversed ranks and added. singscore_mixed: the first two members go up, the others down.
# gsva: the package as it is, whose kernel is a table of steps of 0.001; gsva_exact: the same walk over pnorm itself.
suppressMessages(library(GSVA))
set.seed(20)
n_proteins <- 45; n_samples <- 15
x <- matrix(round(rnorm(n_proteins * n_samples, rep(rnorm(n_proteins, 6, 2), n_samples)), 3), n_proteins,
            dimnames = list(sprintf("P%02d", 1:n_proteins), sprintf("m%02d", 1:n_samples)))
x[c(2, 7), 3] <- x[11, 3]   # ties within a sample
x[5, 2] <- x[5, 9]          # and within a protein
sets <- list(four = c("P02", "P07", "P19", "P31"), nine = sprintf("P%02d", c(1, 5, 8, 13, 20, 21, 33, 40, 44)))
run <- function(method, ...) gsva(x, sets, method = method, min.sz = 2, verbose = FALSE, ...)
invisible(capture.output(ssgsea <- run("ssgsea", ssgsea.norm = FALSE)))
gsva_own <- run("gsva", kcdf = "Gaussian", mx.diff = TRUE)
place <- t(apply(x, 1, function(v) sapply(v, function(at) mean(pnorm((at - v) / (sd(v) / 4))))))
sorted <- apply(place, 2, order, decreasing = TRUE)
score <- apply(sorted, 2, function(o) { s <- numeric(n_proteins); s[o] <- abs(n_proteins:1 - n_proteins / 2); s })
exact <- t(sapply(sets, function(s) GSVA:::ks_test_m(match(s, rownames(x)), score, sorted)))
z <- function(s) t(scale(t(x[s, ])))
pc <- t(sapply(sets, function(s) { p <- prcomp(t(z(s)), center = TRUE); sign(sum(p$rotation[, 1])) * p$x[, 1] }))
share <- sapply(sets, function(s) summary(prcomp(t(z(s))))$importance[2, 1])
simple_score <- function(up, down = NULL) apply(x, 2, function(v) {
  r <- rank(v, ties.method = "min"); N <- length(v)
  score <- function(r, n) { low <- (n + 1) / 2; high <- (2 * N - n + 1) / 2; (mean(r) - low) / (high - low) - 0.5 }
  score(r[up], length(up)) + if (is.null(down)) 0 else score((N - r + 1)[down], length(down)) })
table <- do.call(rbind, lapply(names(sets), function(s) data.frame(set = s, sample = colnames(x), ssgsea = ssgsea[s, ],
  gsva = gsva_own[s, ], gsva_exact = exact[s, ], pc1 = pc[s, ], pc1_share = share[[s]],
  singscore = simple_score(sets[[s]]), singscore_mixed = simple_score(head(sets[[s]], 2), tail(sets[[s]], -2)))))
f17 <- function(v) if (is.numeric(v)) sprintf("%.15g", v) else v
write.csv(as.data.frame(lapply(table, f17)), "scores.csv", row.names = FALSE, quote = FALSE)
write.csv(x, "levels.csv", quote = FALSE)

# Writes r.json: what R's urca, tseries and fCopulae say of made-up columns. The values are committed; the tests need no R.
#
#     apt-get install --no-install-recommends r-base-core r-cran-urca r-cran-tseries r-cran-fcopulae
#     Rscript test/golden/r-golden.R && node_modules/.bin/oxfmt test/golden/r.json
#
# The columns come from a linear congruential generator and from +, - and * only, so that the test makes the very same doubles.
suppressMessages({
  library(urca)
  library(tseries)
  library(fCopulae)
})

LENGTH <- 400
state <- 20261122
deviate <- function() {
  z <- -6.0
  for (i in 1:12) {
    state <<- (1664525 * state + 1013904223) %% 4294967296
    z <- z + (state + 0.5) / 4294967296
  }
  z
}

made <- list(leader = numeric(LENGTH), follower = numeric(LENGTH), stranger = numeric(LENGTH), third = numeric(LENGTH))
leader <- 9.0
rest <- 0.0
stranger <- 4.0
beside <- 0.0
for (t in 1:LENGTH) {
  leader <- leader + 0.02 * deviate()
  rest <- 0.85 * rest + 0.01 * deviate()
  stranger <- stranger + (0.001 + 0.03 * deviate())
  beside <- 0.6 * beside + 0.02 * deviate()
  made$leader[t] <- leader
  made$follower[t] <- 0.5 + 1.2 * leader + rest
  made$stranger[t] <- stranger
  made$third[t] <- 0.7 * leader - 0.4 * stranger + beside
}

number <- function(x) sprintf("%.17g", as.numeric(x))
list_of <- function(xs) paste0("[", paste(xs, collapse = ","), "]")
numbers <- function(xs) list_of(vapply(as.numeric(xs), number, ""))
text <- function(x) paste0("\"", x, "\"")
row <- function(...) {
  fields <- list(...)
  paste0("{", paste(paste0(text(names(fields)), ":", unlist(fields)), collapse = ","), "}")
}

dickey_fuller <- c()
phillips_perron <- c()
stationarity <- c()
for (name in names(made)) {
  x <- made[[name]]
  for (lags in c(0, 1, 4, 9)) {
    for (terms in c("none", "constant", "trend")) {
      type <- switch(terms, none = "none", constant = "drift", trend = "trend")
      fit <- ur.df(x, type = type, lags = lags, selectlags = "Fixed")
      dickey_fuller <- c(dickey_fuller, row(column = text(name), lags = lags, terms = text(terms), statistic = number(fit@teststat[1])))
    }
    for (terms in c("constant", "trend")) {
      # With no lags urca takes two wrong ones: its loop runs from 1 down to 0.
      if (lags > 0) {
        fit <- ur.pp(x, type = "Z-tau", model = terms, use.lag = lags)
        phillips_perron <- c(phillips_perron, row(column = text(name), lags = lags, terms = text(terms), statistic = number(fit@teststat[1])))
      }
      fit <- ur.kpss(x, type = if (terms == "constant") "mu" else "tau", use.lag = lags)
      stationarity <- c(stationarity, row(column = text(name), lags = lags, terms = text(terms), statistic = number(fit@teststat[1])))
    }
  }
}

# The same test by another package: a line in time, the lags of its own formula.
tseries_rows <- c()
for (name in names(made)) {
  fit <- suppressWarnings(adf.test(made[[name]], k = 5))
  tseries_rows <- c(tseries_rows, row(column = text(name), lags = 5, statistic = number(fit$statistic)))
}

johansen <- c()
for (columns in list(c("leader", "follower"), c("leader", "stranger"), c("follower", "leader", "third"), c("leader", "follower", "stranger", "third"))) {
  for (lags in c(1, 3)) {
    x <- do.call(cbind, made[columns])
    trace <- ca.jo(x, type = "trace", ecdet = "none", K = lags + 1, spec = "transitory")
    eigen <- ca.jo(x, type = "eigen", ecdet = "none", K = lags + 1, spec = "transitory")
    johansen <- c(johansen, row(
      columns = list_of(text(columns)), lags = lags,
      eigenvalues = numbers(trace@lambda[seq_along(columns)]),
      # R begins with the most relations.
      trace = numbers(rev(trace@teststat)), maxEigen = numbers(rev(eigen@teststat)),
      vector = numbers(trace@V[, 1] / trace@V[1, 1])
    ))
  }
}

points <- rbind(c(0.3, 0.6), c(0.05, 0.02), c(0.5, 0.5), c(0.91, 0.13), c(0.97, 0.985), c(0.2, 0.8))
copulas <- c()
archimedean <- list(clayton = list(type = "1", alphas = c(0.4, 2, 6)), gumbel = list(type = "4", alphas = c(1.2, 2, 5)),
                    frank = list(type = "5", alphas = c(-6, 1, 9)), joe = list(type = "6", alphas = c(1.3, 2, 6)))
for (family in names(archimedean)) {
  for (alpha in archimedean[[family]]$alphas) {
    for (i in seq_len(nrow(points))) {
      u <- points[i, 1]
      v <- points[i, 2]
      copulas <- c(copulas, row(
        family = text(family), theta = number(alpha), u = number(u), v = number(v),
        density = number(darchmCopula(u, v, alpha, type = archimedean[[family]]$type)),
        distribution = number(parchmCopula(u, v, alpha, type = archimedean[[family]]$type))
      ))
    }
  }
}
elliptical <- c()
for (rho in c(-0.7, 0.2, 0.9)) {
  for (i in seq_len(nrow(points))) {
    u <- points[i, 1]
    v <- points[i, 2]
    elliptical <- c(elliptical, row(family = text("gaussian"), correlation = number(rho), freedom = 0, u = number(u), v = number(v),
                                    density = number(dellipticalCopula(u, v, rho = rho, type = "norm"))))
    for (freedom in c(3, 8)) {
      elliptical <- c(elliptical, row(family = text("student"), correlation = number(rho), freedom = freedom, u = number(u), v = number(v),
                                      density = number(dellipticalCopula(u, v, rho = rho, param = freedom, type = "t"))))
    }
  }
}

versions <- row(R = text(paste(R.version$major, R.version$minor, sep = ".")), urca = text(as.character(packageVersion("urca"))),
                tseries = text(as.character(packageVersion("tseries"))), fCopulae = text(as.character(packageVersion("fCopulae"))))
last <- row(leader = number(made$leader[LENGTH]), follower = number(made$follower[LENGTH]),
            stranger = number(made$stranger[LENGTH]), third = number(made$third[LENGTH]))
writeLines(row(versions = versions, length = LENGTH, last = last, dickeyFuller = list_of(dickey_fuller), phillipsPerron = list_of(phillips_perron),
               stationarity = list_of(stationarity), tseries = list_of(tseries_rows), johansen = list_of(johansen),
               archimedean = list_of(copulas), elliptical = list_of(elliptical)), "test/golden/r.json")
